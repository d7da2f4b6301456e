import { type ConfigOf, field } from '../../src/config/field.ts'
import { clientTlsField } from '../../src/config/tls-fields.ts'
import { maxRequestSizeField, retryField, sendingQueueField } from '../../src/queue/fields.ts'

const HTTP1 = "it tunes Go's HTTP/2 transport; requests leave over HTTP/1.1, which every OTLP/HTTP server speaks"
const POOL = "it sizes the idle pool of Go's transport; idle connections end by idle_conn_timeout alone"

export const fields = {
  endpoint: field.string('Base URL; `/v1/traces` and the like are appended.', {
    example: 'https://otlp.example.com',
  }),
  traces_endpoint: field.string('URL for traces, used as it is.'),
  metrics_endpoint: field.string('URL for metrics, used as it is.'),
  logs_endpoint: field.string('URL for logs, used as it is.'),
  profiles_endpoint: field.string('URL for profiles, used as it is.'),
  encoding: field.enum('Of the bodies.', ['proto', 'json'], { default: 'proto' }),
  compression: field.enum(
    'Of every body.',
    ['gzip', 'zstd', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4', 'none', ''],
    { default: 'gzip' },
  ),
  compression_params: field.object(
    'How hard to compress.',
    {
      level: field.int(
        'Of gzip, zlib and deflate 1 to 9, -1 for the usual 6, -2 for Huffman coding alone; of zstd 1 to 22. 0 is the fastest.',
        { default: 0 },
      ),
    },
    { default: {} },
  ),
  headers: field.map('Sent with every request.', field.secret('Value of the header.', { required: true }), {
    default: {},
  }),
  timeout: field.duration('Longest that one attempt may take; 0 is no limit.', { default: '30s', min: 0 }),
  tls: clientTlsField,
  max_conns_per_host: field.int('Most connections to one server; 0 is no limit.', { default: 0, min: 0 }),
  idle_conn_timeout: field.duration('Closes a connection without requests after this long.', {
    default: '90s',
    min: 1,
  }),
  disable_keep_alives: field.bool('One request a connection.', { default: false }),
  max_request_size: maxRequestSizeField(0),
  sending_queue: sendingQueueField,
  retry_on_failure: retryField,
  max_idle_conns: field.noEffect('Most idle connections.', POOL),
  max_idle_conns_per_host: field.noEffect('Most idle connections to one server.', POOL),
  force_attempt_http2: field.noEffect('Tries HTTP/2.', HTTP1),
  http2_read_idle_timeout: field.noEffect('Pings a silent HTTP/2 connection.', HTTP1),
  http2_ping_timeout: field.noEffect('Gives an HTTP/2 connection up.', HTTP1),
  read_buffer_size: field.noEffect('Read buffer of a connection.', "it sizes a buffer of Go's HTTP transport"),
  write_buffer_size: field.noEffect('Write buffer of a connection.', "it sizes a buffer of Go's HTTP transport"),
  proxy_url: field.unsupported('Sends through a proxy.', 'this version connects directly'),
  cookies: field.unsupported(
    'Keeps cookies.',
    'this version sends none; an affinity cookie of a load balancer is lost',
  ),
  auth: field.unsupported(
    'Lets an extension sign requests.',
    'this version has no authenticator extensions; use headers',
  ),
  middlewares: field.unsupported('Hands requests through extensions.', 'this version has no middleware extensions'),
}

export type Config = ConfigOf<typeof fields>
