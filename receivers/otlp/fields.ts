import { type ConfigOf, field } from '../../src/config/field.ts'
import { serverTlsField } from '../../src/config/tls-fields.ts'

const CODINGS = ['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4', 'x-snappy-framed'] as const
const TRANSPORTS = ['tcp', 'tcp4', 'tcp6', 'unix'] as const

const listenFields = (port: number) => ({
  endpoint: field.string('Where to listen: host:port, :port for all interfaces, or a path under `transport: unix`.', {
    default: `localhost:${port}`,
  }),
  transport: field.enum('What `endpoint` is an address of.', TRANSPORTS, { default: 'tcp' }),
  dialer: field.noEffect(
    'How connections are made.',
    'the receiver makes none, it waits for them; the Collector reads the key and does nothing with it either',
  ),
  tls: serverTlsField,
  include_metadata: field.bool("Keeps the request's headers with its data, for components that read them.", {
    default: false,
  }),
  middlewares: field.list(
    'Extensions that may turn a request away before its body is read, asked in this order once the client is known.',
    field.object('One of them.', { id: field.extension('The extension.', { required: true }) }, { required: true }),
    { default: [] },
  ),
})

const authenticator = field.extension('The extension that is asked at the headers of each request.', { required: true })

const grpc = field.object('OTLP/gRPC; served when the key is there.', {
  ...listenFields(4317),
  auth: field.object('Lets an extension say who the client is.', { authenticator }),
  max_recv_msg_size_mib: field.int('Largest message, before and after decompression, in MiB; 0 means 4.', {
    default: 4,
    min: 0,
    max: 2047,
  }),
  max_concurrent_streams: field.int(
    'Calls that one connection may have under way; its client queues what is above. 0 means 1024.',
    { default: 0, min: 0, max: 4_294_967_295 },
  ),
  keepalive: field.object('How long a connection lives.', {
    server_parameters: field.object('When the server ends or checks connections.', {
      max_connection_idle: field.duration('Ends a connection without calls after this long; 0 is never.', {
        default: '0s',
        min: 0,
      }),
      max_connection_age: field.duration(
        'Ends a connection after this long, give or take a tenth, so that clients spread anew; 0 is never.',
        { default: '0s', min: 0 },
      ),
      max_connection_age_grace: field.duration('What calls under way then get; 0 is for ever.', {
        default: '0s',
        min: 0,
      }),
      time: field.duration('Pings a client that has been silent for this long; 0 means 2h.', { default: '2h', min: 0 }),
      timeout: field.duration('Ends a connection that leaves a ping unanswered for this long; 0 means 20s.', {
        default: '20s',
        min: 0,
      }),
    }),
    enforcement_policy: field.object('Ends connections that ping too often; holds without being written, too.', {
      min_time: field.duration('Least time between two pings; 0 means 5m.', { default: '5m', min: 0 }),
      permit_without_stream: field.bool('Lets clients ping that have no call under way more often than every 2h.', {
        default: false,
      }),
    }),
  }),
  read_timeout: field.duration(
    'Longest that the message of a call may take to arrive after its headers; 0 is no limit.',
    { default: '1m', min: 0, own: true },
  ),
  read_buffer_size: field.noEffect(
    'Read buffer of a connection.',
    "it sizes a buffer of grpc-go; Node's reads need none",
  ),
  write_buffer_size: field.noEffect(
    'Write buffer of a connection.',
    "it sizes a buffer of grpc-go; Node's writes need none",
  ),
})

const http = field.object('OTLP/HTTP, bodies in protobuf or JSON; served when the key is there.', {
  ...listenFields(4318),
  auth: field.object('Lets an extension say who the client is.', {
    authenticator,
    request_params: field.list(
      'Parameters of the query that the extension may take for headers of the same name.',
      field.string('Name of a parameter.', { required: true }),
      { default: [] },
    ),
  }),
  traces_url_path: field.string('Path of trace requests.', { default: '/v1/traces' }),
  metrics_url_path: field.string('Path of metric requests.', { default: '/v1/metrics' }),
  logs_url_path: field.string('Path of log requests.', { default: '/v1/logs' }),
  max_request_body_size: field.int('Largest body, before and after decompression, in bytes; 0 means 20 MiB.', {
    default: 20_971_520,
    min: 0,
  }),
  compression_algorithms: field.list(
    'The `Content-Encoding`s that are taken; an empty name stands for none.',
    field.enum('A content coding.', CODINGS, { required: true }),
    { default: CODINGS },
  ),
  read_timeout: field.duration("Longest that a request's body may take to arrive after its headers; 0 is no limit.", {
    default: '0s',
    min: 0,
  }),
  read_header_timeout: field.duration("Longest that a request's headers may take to arrive; 0 means `read_timeout`.", {
    default: '1m',
    min: 0,
  }),
  write_timeout: field.duration("Longest from a request's headers to the end of its answer; 0 is no limit.", {
    default: '30s',
    min: 0,
  }),
  idle_timeout: field.duration('Ends a connection without requests after this long; 0 means `read_timeout`.', {
    default: '1m',
    min: 0,
  }),
  keep_alives_enabled: field.bool('Off: one request a connection.', { default: true }),
  response_headers: field.map('Set on every response.', field.secret('Value of the header.', { required: true }), {
    default: {},
    pairs: true,
  }),
  cors: field.object('Lets web pages of other origins send.', {
    allowed_origins: field.list(
      'Origins of those pages, `https://app.example`; one `*` in it stands for any text, alone for any origin.',
      field.string('An origin.', { required: true }),
      { default: [] },
    ),
    allowed_headers: field.list(
      'Headers that they may set; `*` for any. When empty: Accept, Content-Type and X-Requested-With.',
      field.string('Name of a header.', { required: true }),
      { default: [] },
    ),
    exposed_headers: field.list(
      'Headers of answers that they may read.',
      field.string('Name of a header.', { required: true }),
      { default: [] },
    ),
    max_age: field.int(
      'Seconds for which browsers may remember that they may send; 0 leaves it to them, less forbids it.',
      { default: 0 },
    ),
  }),
})

export const fields = {
  protocols: field.object('What is served: at least one of the two.', { grpc, http }, { default: {} }),
  acknowledge: field.enum(
    'When a client is told that its data is in good hands: once a queue holds it (or it was delivered, where there is ' +
      'no queue), or only once it was delivered.',
    ['admitted', 'delivered'],
    { default: 'admitted', own: true },
  ),
}

export type Config = ConfigOf<typeof fields>
export type GrpcConfig = NonNullable<Config['protocols']['grpc']>
export type HttpConfig = NonNullable<Config['protocols']['http']>
