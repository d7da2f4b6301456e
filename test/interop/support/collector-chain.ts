/**
 * Configurations for SDK → Collector → Sluice → Collector → files, with a lane of its own for each way of sending: everything
 * that the first Collector takes leaves it in every way, and each way ends in its own files.
 */
import { join } from 'node:path'
import { STABLE, type Stable } from '../../support/otlp-services.ts'
import type { Certificates } from '../../transport/support/certificates.ts'

/** How both hops of a lane send. */
export interface Way {
  readonly protocol: 'grpc' | 'http'
  readonly encoding: 'proto' | 'json'
  readonly compression: string
  /** `token`: a bearer token over TLS, which Go's clients insist on. `unix`: a Unix domain socket. */
  readonly security: 'plain' | 'unix' | 'tls' | 'mtls' | 'token'
}

export function nameOf({ protocol, encoding, compression, security }: Way): string {
  return [protocol, encoding, compression, security].join('-')
}

const plain = { encoding: 'proto', security: 'plain' } as const

/** Every compression that both have, JSON, TLS, mTLS, bearer tokens and Unix domain sockets. */
export const WAYS: readonly Way[] = [
  ...['none', 'gzip', 'snappy', 'zstd'].map((compression) => ({ ...plain, protocol: 'grpc', compression }) as const),
  ...['none', 'gzip', 'zstd', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4'].map(
    (compression) => ({ ...plain, protocol: 'http', compression }) as const,
  ),
  ...['none', 'gzip', 'zstd'].map(
    (compression) => ({ ...plain, protocol: 'http', encoding: 'json', compression }) as const,
  ),
  ...(['tls', 'mtls', 'token'] as const).flatMap((security) =>
    (['grpc', 'http'] as const).map((protocol) => ({ ...plain, protocol, compression: 'gzip', security }) as const),
  ),
  { ...plain, protocol: 'grpc', compression: 'gzip', security: 'unix' },
]

/** `host:port`, or `unix:///path` to send to and `/path` to listen on. */
type Endpoint = (way: Way) => string
type Section = Record<string, unknown>

/** The first Collector: one receiver, an exporter for each way. */
export function agentConfig(listen: number, to: Endpoint, certificates: Certificates): string {
  const sending = Object.fromEntries(WAYS.map((way) => exporter(way, to(way), certificates)))
  return config({
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${listen}` } } } },
    exporters: sending,
    pipelines: pipelines((signal) => [signal, { receivers: ['otlp'], exporters: Object.keys(sending) }]),
  })
}

/** Sluice: for each way a receiver that takes nothing else, and an exporter that sends so. */
export function gatewayConfig(listen: Endpoint, to: Endpoint, certificates: Certificates): string {
  return config({
    receivers: Object.fromEntries(WAYS.map((way) => receiver(way, listen(way), certificates))),
    exporters: Object.fromEntries(WAYS.map((way) => exporter(way, to(way), certificates))),
    pipelines: Object.assign(
      {},
      ...WAYS.map((way) =>
        pipelines((signal) => [
          `${signal}/${nameOf(way)}`,
          { receivers: [`otlp/${nameOf(way)}`], exporters: [exporter(way, '', certificates)[0]] },
        ]),
      ),
    ),
  })
}

/** The second Collector: for each way a receiver that takes nothing else, and three files. */
export function backendConfig(listen: Endpoint, folder: string, certificates: Certificates): string {
  return config({
    receivers: Object.fromEntries(WAYS.map((way) => receiver(way, listen(way), certificates))),
    exporters: Object.fromEntries(
      WAYS.flatMap((way) =>
        STABLE.map((signal) => [
          `file/${signal}-${nameOf(way)}`,
          { path: fileOf(folder, way, signal), format: 'proto', flush_interval: '50ms' },
        ]),
      ),
    ),
    pipelines: Object.assign(
      {},
      ...WAYS.map((way) =>
        pipelines((signal) => [
          `${signal}/${nameOf(way)}`,
          { receivers: [`otlp/${nameOf(way)}`], exporters: [`file/${signal}-${nameOf(way)}`] },
        ]),
      ),
    ),
  })
}

/** Where a lane ends. */
export function fileOf(folder: string, way: Way, signal: Stable): string {
  return join(folder, `${nameOf(way)}.${signal}.bin`)
}

function receiver(way: Way, endpoint: string, { ca, server }: Certificates): [string, Section] {
  const { protocol, compression, security } = way
  const settings = {
    endpoint,
    // By gRPC nobody can be told to take one compression only.
    ...(protocol === 'http' && { compression_algorithms: [compression === 'none' ? '' : compression] }),
    ...(secured(way) && {
      tls: {
        cert_file: server.cert,
        key_file: server.key,
        ...(security === 'mtls' && { client_ca_file: ca }),
      },
    }),
    ...(security === 'token' && { auth: { authenticator: 'bearertokenauth' } }),
    ...(security === 'unix' && { transport: 'unix' }),
  }
  return [`otlp/${nameOf(way)}`, { protocols: { [protocol]: settings } }]
}

function exporter(way: Way, address: string, { ca, client }: Certificates): [string, Section] {
  const { protocol, encoding, compression, security } = way
  const tls = secured(way)
    ? { ca_file: ca, ...(security === 'mtls' && { cert_file: client.cert, key_file: client.key }) }
    : { insecure: true }
  const common = { compression, tls, ...(security === 'token' && { auth: { authenticator: 'bearertokenauth' } }) }
  if (protocol === 'grpc') {
    return [`otlp_grpc/${nameOf(way)}`, { endpoint: address, ...common }]
  }
  const scheme = secured(way) ? 'https' : 'http'
  return [`otlp_http/${nameOf(way)}`, { endpoint: `${scheme}://${address}`, encoding, ...common }]
}

function secured({ security }: Way): boolean {
  return security === 'tls' || security === 'mtls' || security === 'token'
}

function pipelines(make: (signal: Stable) => [string, Section]): Section {
  return Object.fromEntries(STABLE.map(make))
}

/** JSON is YAML. */
function config({ pipelines, ...components }: { receivers: Section; exporters: Section; pipelines: Section }): string {
  const extensions = { bearertokenauth: { token: 'not-a-real-token' } }
  const service = { extensions: Object.keys(extensions), telemetry: { metrics: { level: 'none' } }, pipelines }
  return JSON.stringify({ extensions, ...components, service }, null, 1)
}
