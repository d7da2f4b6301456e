import { grpcAuthField, httpAuthField, middlewaresField } from '../../src/config/authorise-fields.ts'
import { corsField } from '../../src/config/cors-fields.ts'
import { type ConfigOf, field } from '../../src/config/field.ts'
import { serverKeepaliveField } from '../../src/config/grpc-server-fields.ts'
import { connectionFields } from '../../src/config/http-server-fields.ts'
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
  middlewares: middlewaresField,
})

const grpc = field.object('OTLP/gRPC; served when the key is there.', {
  ...listenFields(4317),
  auth: grpcAuthField,
  max_recv_msg_size_mib: field.int('Largest message, before and after decompression, in MiB; 0 means 4.', {
    default: 4,
    min: 0,
    max: 2047,
  }),
  max_concurrent_streams: field.int(
    'Calls that one connection may have under way; its client queues what is above. 0 means 1024.',
    { default: 0, min: 0, max: 4_294_967_295 },
  ),
  keepalive: serverKeepaliveField,
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
  auth: httpAuthField,
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
  ...connectionFields,
  write_timeout: field.duration("Longest from a request's headers to the end of its answer; 0 is no limit.", {
    default: '30s',
    min: 0,
  }),
  response_headers: field.map('Set on every response.', field.secret('Value of the header.', { required: true }), {
    default: {},
    pairs: true,
  }),
  cors: corsField,
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
