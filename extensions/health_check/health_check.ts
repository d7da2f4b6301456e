import { type ConfigProblem, define } from '../../src/component/define.ts'
import { listenProblems, pageServerProblems } from '../../src/component/http-server-problems.ts'
import { fields } from './fields.ts'

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
    if (config.grpc !== undefined) problems.push(...listenProblems(config.grpc, ['grpc']))
    return problems
  },
  async create(config, ctx) {
    const { HealthCheck } = await import('./extension.ts')
    return new HealthCheck(config, ctx)
  },
})
