import { type ConfigProblem, define } from '../../src/component/define.ts'
import { headerProblems } from '../../src/transport/headers.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { tlsProblems } from '../../src/transport/tls.ts'
import { fields } from './fields.ts'

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
