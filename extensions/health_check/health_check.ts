import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'

export default define({
  kind: 'extension',
  type: 'health_check',
  place: 'host',
  stability: 'beta',
  signals: [],
  summary: 'Answers over HTTP whether the service is up, for load balancers and Kubernetes probes.',
  config: {
    endpoint: field.string('Where it listens, `host:port`.', { default: 'localhost:13133' }),
    path: field.string('The path it answers on; `/` answers on every path.', { default: '/', pattern: /^\// }),
    response_body: field.object('Texts to answer with in place of the JSON document.', {
      healthy: field.string('While the service is up.', { default: '' }),
      unhealthy: field.string('While it starts or stops.', { default: '' }),
    }),
    response_headers: field.map('Added to every answer.', field.string('Value of the header.'), { default: {} }),
    check_collector_pipeline: field.noEffect(
      'Looks at exporter failures too.',
      'the Collector ignores it as well: it never worked as described',
    ),
    tls: field.unsupported('Serves HTTPS.', 'it answers over plain HTTP in this version'),
    auth: field.unsupported('Asks clients who they are.', 'it answers everybody in this version'),
    cors: field.unsupported('Lets browsers of other origins ask.', 'it has no answer to preflight requests'),
    middlewares: field.unsupported('Extensions that see requests first.', 'there are none of that kind'),
    http: field.unsupported('The settings of healthcheckv2.', 'this is version 1; write endpoint and path directly'),
    grpc: field.unsupported('The settings of healthcheckv2.', 'this is version 1, which has no gRPC service'),
    use_v2: field.unsupported('Takes the settings of healthcheckv2.', 'this is version 1'),
    max_request_body_size: field.noEffect('Limits request bodies.', 'bodies are never read'),
    include_metadata: field.noEffect('Hands request headers on.', 'no pipeline is behind it'),
    compression_algorithms: field.noEffect('Compressions of request bodies.', 'bodies are never read'),
    read_timeout: field.noEffect('Limits how long reading may take.', 'fixed at 5 s: only headers are read'),
    read_header_timeout: field.noEffect('Limits how long reading headers may take.', 'fixed at 5 s'),
    write_timeout: field.noEffect('Limits how long writing may take.', 'answers fit one packet'),
    idle_timeout: field.noEffect('Closes connections that nobody uses.', 'fixed at 5 s'),
    keep_alives_enabled: field.noEffect('Keeps connections open between probes.', 'each answer closes its connection'),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    const address = parseListenAddress(config.endpoint, 'tcp')
    if (typeof address === 'string') problems.push({ path: ['endpoint'], message: address })
    return problems
  },
  async create(config, ctx) {
    const { HealthServer } = await import('./server.ts')
    return new HealthServer(config, ctx)
  },
})
