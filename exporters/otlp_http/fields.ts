import { signerFields } from '../../src/component/request-signer.ts'
import { type ConfigOf, field } from '../../src/config/field.ts'
import { clientTlsField } from '../../src/config/tls-fields.ts'
import { maxRequestSizeField, retryField, sendingQueueField } from '../../src/queue/fields.ts'

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
    pairs: true,
  }),
  timeout: field.duration('Longest that one attempt may take; 0 is no limit.', { default: '30s', min: 0 }),
  tls: clientTlsField,
  max_conns_per_host: field.int('Most connections to one server; 0 is no limit.', { default: 0, min: 0 }),
  idle_conn_timeout: field.duration('Closes a connection without requests after this long.', {
    default: '90s',
    min: 1,
  }),
  disable_keep_alives: field.bool('One request a connection.', { default: false }),
  // What OTLP receivers take unless they are told otherwise: Sluice's and the Go Collector's.
  max_request_size: maxRequestSizeField(20 << 20),
  max_idle_conns: field.int(
    'A connection beyond this many busy ones, of all servers, is closed after its request; 0 is no limit.',
    { default: 100, min: 0 },
  ),
  max_idle_conns_per_host: field.int('The same of one server; 0 is no limit.', { default: 0, min: 0 }),
  force_attempt_http2: field.bool('Speaks HTTP/2 with `https` servers that offer it; off: always HTTP/1.1.', {
    default: true,
  }),
  http2_read_idle_timeout: field.duration(
    'Pings an HTTP/2 connection this often, to notice a server that is gone; 0 never does.',
    { default: '0s', min: 0 },
  ),
  http2_ping_timeout: field.duration('An HTTP/2 connection that does not answer for this long is given up.', {
    default: '15s',
    min: 0,
  }),
  proxy_url: field.secret(
    'Sends through this proxy: `http://`, `https://` or `socks5://`, with `user:password@` if it wants them. When absent, `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say it.',
  ),
  cookies: field.object('Keeps the cookies that servers set, such as those of a load balancer.', {
    enabled: field.bool('Sends them back.', { default: false }),
  }),
  ...signerFields,
  sending_queue: sendingQueueField,
  retry_on_failure: retryField,
  read_buffer_size: field.noEffect('Read buffer of a connection.', "it sizes a buffer of Go's HTTP transport"),
  write_buffer_size: field.noEffect('Write buffer of a connection.', "it sizes a buffer of Go's HTTP transport"),
}

export type Config = ConfigOf<typeof fields>
