import { httpAuthField, middlewaresField } from './authorise-fields.ts'
import { corsField } from './cors-fields.ts'
import { field } from './field.ts'
import { connectionFields } from './http-server-fields.ts'
import { serverTlsField } from './tls-fields.ts'

const NO_BODIES = 'bodies are never read'

/** The keys of `confighttp` for a server of pages (`../transport/page-server.ts`) that listens at `endpoint` by default. */
export const pageServerFields = (endpoint: string) => ({
  endpoint: field.string('Where it listens: `host:port`, or a path under `transport: unix`.', { default: endpoint }),
  transport: field.enum('What `endpoint` is an address of.', ['tcp', 'tcp4', 'tcp6', 'unix'], { default: 'tcp' }),
  tls: serverTlsField,
  auth: httpAuthField,
  middlewares: middlewaresField,
  cors: corsField,
  response_headers: field.map('Added to every answer.', field.secret('Value of the header.', { required: true }), {
    default: {},
    pairs: true,
  }),
  read_timeout: field.duration('Longest that a whole request may take to arrive; 0 is no limit.', {
    default: '0s',
    min: 0,
  }),
  ...connectionFields,
  write_timeout: field.duration('Ends a connection that stands still for this long; 0 is no limit.', {
    default: '30s',
    min: 0,
  }),
  max_request_body_size: field.noEffect('Limits request bodies.', NO_BODIES),
  compression_algorithms: field.noEffect('Compressions of request bodies.', NO_BODIES),
  include_metadata: field.noEffect('Hands request headers on.', 'no pipeline is behind it'),
})
