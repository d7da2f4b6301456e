import { signerFields } from '../../src/component/request-signer.ts'
import { type ConfigOf, field } from '../../src/config/field.ts'
import { clientTlsField } from '../../src/config/tls-fields.ts'
import { maxRequestSizeField, retryField, sendingQueueField } from '../../src/queue/fields.ts'

export const fields = {
  endpoint: field.string(
    'Where to send: host:port, `https://host:port` (TLS whatever `tls.insecure` says), or a target of gRPC: `dns:///host:port`, `passthrough:///host:port`, `ipv4:address:port,…`, `ipv6:[address]:port,…`, `unix:path`.',
    { required: true, example: 'gateway:4317' },
  ),
  tls: clientTlsField,
  compression: field.enum('Of every request; gzip at its fastest level.', ['gzip', 'snappy', 'zstd', 'none', ''], {
    default: 'gzip',
  }),
  headers: field.map('Sent as metadata with every request.', field.secret('Value of the header.', { required: true }), {
    default: {},
    pairs: true,
  }),
  timeout: field.duration('Longest that one attempt may take; 0 is no limit.', { default: '5s', min: 0 }),
  keepalive: field.object('Asks a silent peer whether it is still there.', {
    time: field.duration('How often; at least every 10s.', { default: '10s', min: 0 }),
    timeout: field.duration('Without an answer for this long the connection is given up.', {
      default: '10s',
      min: 1,
    }),
    permit_without_stream: field.bool('Also while no request is under way.', { default: false }),
  }),
  wait_for_ready: field.bool('A request waits for the connection until its time is up, instead of failing at once.', {
    default: false,
  }),
  authority: field.string(
    'The `:authority` of requests, and whose certificate is expected; `tls.server_name_override` or the endpoint when absent.',
  ),
  user_agent: field.string('The `user-agent` of requests.'),
  balancer_name: field.enum(
    '`round_robin` spreads requests over all addresses of the endpoint, `pick_first` (or nothing) stays with the first that answers.',
    ['round_robin', 'pick_first', ''],
    { default: 'round_robin' },
  ),
  ...signerFields,
  // What gRPC servers take unless they are told otherwise.
  max_request_size: maxRequestSizeField(4 * 1024 * 1024),
  sending_queue: sendingQueueField,
  retry_on_failure: retryField,
  read_buffer_size: field.noEffect(
    'Read buffer of the connection.',
    "it sizes a buffer of grpc-go; Node's reads need none",
  ),
  write_buffer_size: field.noEffect(
    'Write buffer of the connection.',
    "it sizes a buffer of grpc-go; Node's writes need none",
  ),
}

export type Config = ConfigOf<typeof fields>
