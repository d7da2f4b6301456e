import { type ConfigProblem, define } from '../../src/component/define.ts'
import { pageServerProblems } from '../../src/component/page-extension.ts'
import { tlsProblems } from '../../src/config/tls-problems.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { type Config, fields } from './fields.ts'

export default define({
  kind: 'extension',
  type: 'health_check',
  place: 'host',
  stability: 'beta',
  signals: [],
  summary:
    'Answers over HTTP and gRPC whether the service and its pipelines are well, for load balancers and Kubernetes.',
  config: fields,
  older: [{ key: 'port', now: 'endpoint', before: '0.0.0.0:' }],
  check(config) {
    if (!config.use_v2) {
      const second = (['http', 'grpc', 'component_health'] as const).filter((key) => config[key] !== undefined)
      return [
        ...pageServerProblems(config),
        ...second.map((key) => ({ path: [key], message: `${key} belongs to version 2; add use_v2: true` })),
      ]
    }
    const problems: ConfigProblem[] = []
    if (config.http === undefined && config.grpc === undefined) {
      problems.push({
        path: ['use_v2'],
        message: 'version 2 serves nothing without "http:" or "grpc:" beside it; add one',
      })
    }
    if (config.http !== undefined) problems.push(...pageServerProblems(config.http, ['http']))
    return [...problems, ...grpcProblems(config.grpc)]
  },
  async create(config, ctx) {
    const { HealthCheck } = await import('./extension.ts')
    return new HealthCheck(config, ctx)
  },
})

function grpcProblems(grpc: Config['grpc']): ConfigProblem[] {
  if (grpc === undefined) return []
  const address = parseListenAddress(grpc.endpoint, grpc.transport)
  const problems = typeof address === 'string' ? [{ path: ['grpc', 'endpoint'], message: address }] : []
  const tls = grpc.tls ? tlsProblems(grpc.tls, 'server') : []
  return [...problems, ...tls.map(({ key, message }) => ({ path: ['grpc', 'tls', key], message }))]
}
