import { type ConfigProblem, define } from '../../src/component/define.ts'
import { tlsProblems } from '../../src/config/tls-problems.ts'
import { deliveryProblems } from '../../src/queue/fields.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { headerProblems } from '../../src/transport/headers.ts'
import { fields } from './fields.ts'

export default define({
  kind: 'exporter',
  type: 'otlp_grpc',
  aliases: ['otlp'],
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Sends OTLP over gRPC to a Collector or a backend.',
  config: fields,
  check(config) {
    const problems: ConfigProblem[] = deliveryProblems(config)
    const target = parseGrpcTarget(config.endpoint)
    if (typeof target === 'string') problems.push({ path: ['endpoint'], message: target })
    for (const { name, message } of headerProblems(config.headers)) problems.push({ path: ['headers', name], message })
    for (const { key, message } of tlsProblems(config.tls, 'client')) problems.push({ path: ['tls', key], message })
    return problems
  },
  async create(config, ctx) {
    const { createExporter } = await import('./exporter.ts')
    return createExporter(config, ctx)
  },
})
