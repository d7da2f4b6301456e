import { type ConfigProblem, define } from '../../src/component/define.ts'
import { tlsProblems } from '../../src/config/tls-problems.ts'
import { deliveryProblems } from '../../src/queue/fields.ts'
import { headerProblems } from '../../src/transport/headers.ts'
import { parseProxyUrl } from '../../src/transport/proxy-environment.ts'
import { compressionLevelProblem } from './compression-level.ts'
import { fields } from './fields.ts'
import { ENDPOINT_KEYS, urlProblem } from './urls.ts'

export default define({
  kind: 'exporter',
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Sends OTLP over HTTP to a Collector or a backend, as protobuf or JSON.',
  config: fields,
  check(config) {
    const problems: ConfigProblem[] = deliveryProblems(config)
    if (ENDPOINT_KEYS.every((key) => config[key] === undefined)) {
      problems.push({
        path: ['endpoint'],
        message: 'at least one endpoint must be specified; set endpoint to a base URL, such as "http://gateway:4318"',
      })
    }
    for (const key of ENDPOINT_KEYS) {
      const url = config[key]
      const problem = url === undefined ? undefined : urlProblem(url)
      if (problem !== undefined) problems.push({ path: [key], message: problem })
    }
    const proxy = config.proxy_url === undefined ? undefined : parseProxyUrl(config.proxy_url)
    if (typeof proxy === 'string') problems.push({ path: ['proxy_url'], message: proxy })
    const level = compressionLevelProblem(config.compression, config.compression_params.level)
    if (level !== undefined) problems.push({ path: ['compression_params', 'level'], message: level })
    for (const { name, message } of headerProblems(config.headers)) problems.push({ path: ['headers', name], message })
    for (const { key, message } of tlsProblems(config.tls, 'client')) problems.push({ path: ['tls', key], message })
    return problems
  },
  async create(config, ctx) {
    const { createExporter } = await import('./exporter.ts')
    return createExporter(config, ctx)
  },
})
