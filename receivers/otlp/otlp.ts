import { type ConfigProblem, define } from '../../src/component/define.ts'
import { tlsProblems } from '../../src/config/tls-problems.ts'
import { headerProblems } from '../../src/transport/headers.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { fields, type HttpConfig } from './fields.ts'

/** Lists of headers that go out as they stand, and origins that could never match. */
function corsProblems(cors: HttpConfig['cors']): ConfigProblem[] {
  if (cors === undefined) return []
  const at = (key: string, index: number): ConfigProblem['path'] => ['protocols', 'http', 'cors', key, index]
  const origins = cors.allowed_origins.flatMap((origin, index): ConfigProblem[] => {
    if (origin.split('*').length > 2) {
      const message = `expected one "*" at most, got "${origin}"; give each origin a line of its own`
      return [{ path: at('allowed_origins', index), message }]
    }
    if (origin.includes('*') || origin === 'null' || /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/i.test(origin)) return []
    const message = `expected an origin such as "https://app.example", without a path, got "${origin}"`
    return [{ path: at('allowed_origins', index), message }]
  })
  const names = (['allowed_headers', 'exposed_headers'] as const).flatMap((key) =>
    cors[key].flatMap((name, index): ConfigProblem[] =>
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
        ? []
        : [{ path: at(key, index), message: `expected the name of a header, got "${name}"` }],
    ),
  )
  return [...origins, ...names]
}

export default define({
  kind: 'receiver',
  type: 'otlp',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Takes OTLP from SDKs, agents and other Collectors, over gRPC and HTTP.',
  config: fields,
  check({ protocols }) {
    const problems: ConfigProblem[] = []
    if (protocols.grpc === undefined && protocols.http === undefined) {
      problems.push({
        path: ['protocols'],
        message: 'must specify at least one protocol when using the OTLP receiver; add "grpc:" or "http:" below it',
      })
    }
    for (const { name, message } of headerProblems(protocols.http?.response_headers ?? {})) {
      problems.push({ path: ['protocols', 'http', 'response_headers', name], message })
    }
    problems.push(...corsProblems(protocols.http?.cors))
    for (const name of ['grpc', 'http'] as const) {
      const protocol = protocols[name]
      if (protocol === undefined) continue
      const address = parseListenAddress(protocol.endpoint, protocol.transport)
      if (typeof address === 'string') problems.push({ path: ['protocols', name, 'endpoint'], message: address })
      if (protocol.tls === undefined) continue
      for (const { key, message } of tlsProblems(protocol.tls, 'server')) {
        problems.push({ path: ['protocols', name, 'tls', key], message })
      }
    }
    return problems
  },
  async create(config, ctx, next) {
    const { OtlpReceiver } = await import('./receiver.ts')
    return new OtlpReceiver(config, ctx, next)
  },
})
