import { grpcAuthField, middlewaresField } from '../../src/config/authorise-fields.ts'
import { type ConfigOf, field } from '../../src/config/field.ts'
import { serverKeepaliveField } from '../../src/config/grpc-server-fields.ts'
import { pageServerFields } from '../../src/config/page-server-fields.ts'
import { serverTlsField } from '../../src/config/tls-fields.ts'

const FEW_BYTES = 'a question about health has a few bytes'

const page = (doc: string, enabled: boolean, path: string) =>
  field.object(
    doc,
    {
      enabled: field.bool('Serves it.', { default: enabled }),
      path: field.string('The path it answers on.', { default: path, pattern: /^\// }),
    },
    { default: {} },
  )

const grpc = {
  endpoint: field.string('Where it listens: `host:port`, or a path under `transport: unix`.', {
    default: 'localhost:13132',
  }),
  transport: field.enum('What `endpoint` is an address of.', ['tcp', 'tcp4', 'tcp6', 'unix'], { default: 'tcp' }),
  tls: serverTlsField,
  max_concurrent_streams: field.int(
    'Calls, watches among them, that one connection may have under way; 0 is no limit.',
    {
      default: 0,
      min: 0,
    },
  ),
  auth: grpcAuthField,
  middlewares: middlewaresField,
  keepalive: serverKeepaliveField,
  max_recv_msg_size_mib: field.noEffect('Largest message.', FEW_BYTES),
  read_buffer_size: field.noEffect('Read buffer of a connection.', FEW_BYTES),
  write_buffer_size: field.noEffect('Write buffer of a connection.', FEW_BYTES),
  include_metadata: field.noEffect('Hands request headers on.', 'no pipeline is behind it'),
}

/** Version 1 at the top, version 2 (`use_v2`) under `http`, `grpc` and `component_health`. */
export const fields = {
  ...pageServerFields('localhost:13133'),
  path: field.string('The path it answers on; `/` answers on every path.', { default: '/', pattern: /^\// }),
  response_body: field.object('Texts to answer with in place of the JSON document.', {
    healthy: field.string('While the service is up.', { default: '' }),
    unhealthy: field.string('While it starts or stops.', { default: '' }),
  }),
  liveness_path: field.string('Answers 200 as long as a restart would not help.', {
    default: '/livez',
    pattern: /^\//,
    own: true,
  }),
  readiness_path: field.string('Answers 200 between start and stop unless a component has failed for good.', {
    default: '/readyz',
    pattern: /^\//,
    own: true,
  }),
  check_collector_pipeline: field.noEffect(
    'Looks at exporter failures too.',
    'the Collector ignores it as well: it never worked as described; component_health does this',
  ),
  use_v2: field.bool(
    'Takes `http`, `grpc` and `component_health`, as healthcheckv2 does, and not the keys beside them.',
    {
      default: false,
    },
  ),
  http: field.object('The HTTP service of version 2.', {
    ...pageServerFields('localhost:13133'),
    status: page(
      'Health of the service; `?pipeline=traces` of one pipeline, `?verbose` of every component.',
      true,
      '/status',
    ),
    config: page('The configuration that runs, secrets redacted.', false, '/config'),
  }),
  grpc: field.object('`grpc.health.v1.Health` of version 2: a service a pipeline, `""` for the whole.', grpc),
  component_health: field.object('Which errors of components make the whole unhealthy. Unset: only fatal ones.', {
    include_permanent_errors: field.bool('Errors that only a person can mend.', { default: false }),
    include_recoverable_errors: field.bool('Errors that may go away, after `recovery_duration`.', { default: false }),
    recovery_duration: field.duration('How long a recoverable error is given to go away.', { default: '1m', min: 0 }),
  }),
}

export type Config = ConfigOf<typeof fields>
