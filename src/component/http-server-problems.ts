import { tlsProblems } from '../config/tls-problems.ts'
import { headerProblems } from '../transport/headers.ts'
import { type ListenTransport, parseListenAddress } from '../transport/listen-address.ts'
import type { ConfigProblem } from './define.ts'

type Path = ConfigProblem['path']

interface Listens {
  readonly endpoint: string
  readonly transport: ListenTransport
  readonly tls?: Parameters<typeof tlsProblems>[0] | undefined
}

interface Answers {
  readonly response_headers: Readonly<Record<string, string>>
  readonly cors?:
    | { readonly allowed_headers: readonly string[]; readonly exposed_headers: readonly string[] }
    | undefined
}

/** What is wrong with where a server listens and how it encrypts; `at` leads to its section. */
export function listenProblems({ endpoint, transport, tls }: Listens, at: Path): ConfigProblem[] {
  const address = parseListenAddress(endpoint, transport)
  const problems: ConfigProblem[] = []
  if (typeof address === 'string') problems.push({ path: [...at, 'endpoint'], message: address })
  for (const { key, message } of tls ? tlsProblems(tls, 'server') : []) {
    problems.push({ path: [...at, 'tls', key], message })
  }
  return problems
}

/** Headers that could not be sent: refused at the start, since they would spoil every answer. */
export function httpServerProblems({ response_headers, cors }: Answers, at: Path): ConfigProblem[] {
  const problems = headerProblems(response_headers).map(
    ({ name, message }): ConfigProblem => ({ path: [...at, 'response_headers', name], message }),
  )
  for (const key of ['allowed_headers', 'exposed_headers'] as const) {
    for (const [index, name] of (cors?.[key] ?? []).entries()) {
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) continue
      problems.push({ path: [...at, 'cors', key, index], message: `expected the name of a header, got "${name}"` })
    }
  }
  return problems
}

/** What cannot be right about the keys of `pageServerFields`, for an extension's `check`; `at` leads to them. */
export function pageServerProblems(config: Listens & Answers, at: Path = []): ConfigProblem[] {
  return [...listenProblems(config, at), ...httpServerProblems(config, at)]
}
