import type { ConfigProblem } from '../../src/component/define.ts'
import { httpServerProblems, listenProblems } from '../../src/component/http-server-problems.ts'
import { type ListenAddress, parseListenAddress } from '../../src/transport/listen-address.ts'
import type { Config, HttpConfig } from './fields.ts'
import { pathsOf } from './paths.ts'

/** What is wrong with a configuration whose options are right each by itself. */
export function check({ protocols }: Config): ConfigProblem[] {
  const { grpc, http } = protocols
  const problems: ConfigProblem[] = []
  if (grpc === undefined && http === undefined) {
    problems.push({
      path: ['protocols'],
      message: 'must specify at least one protocol when using the OTLP receiver; add "grpc:" or "http:" below it',
    })
  }
  if (http !== undefined) {
    problems.push(...httpServerProblems(http, ['protocols', 'http']), ...pathProblems(http))
  }
  const taken: ListenAddress[] = []
  for (const name of ['grpc', 'http'] as const) {
    const protocol = protocols[name]
    if (protocol === undefined) continue
    problems.push(...listenProblems(protocol, ['protocols', name]))
    const address = parseListenAddress(protocol.endpoint, protocol.transport)
    if (typeof address === 'string') continue
    if (taken.some((other) => same(other, address))) {
      problems.push({
        path: ['protocols', name, 'endpoint'],
        message: `${protocol.endpoint} is where protocols.grpc listens; one of them needs another`,
      })
    } else taken.push(address)
  }
  return problems
}

function same(a: ListenAddress, b: ListenAddress): boolean {
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path
  return a.port !== 0 && a.port === b.port && a.host === b.host && a.family === b.family
}

/** Two signals under one path could not be told apart. */
function pathProblems(http: HttpConfig): ConfigProblem[] {
  const paths = pathsOf(http)
  const problems: ConfigProblem[] = []
  const seen = new Map<string, string>([[paths.profiles, 'profiles']])
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    const other = seen.get(paths[signal])
    if (other === undefined) seen.set(paths[signal], signal)
    else {
      const message = `"${paths[signal]}" is the path of ${other} already; a request could be either`
      problems.push({ path: ['protocols', 'http', `${signal}_url_path`], message })
    }
  }
  return problems
}
