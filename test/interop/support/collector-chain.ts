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
  readonly security: 'plain' | 'tls' | 'mtls'
}

export function nameOf({ protocol, encoding, compression, security }: Way): string {
  return [protocol, encoding, compression, security].join('-')
}

const plain = { encoding: 'proto', security: 'plain' } as const

/** Every compression that both have, JSON, TLS and mTLS. */
export const WAYS: readonly Way[] = [
  ...['none', 'gzip', 'snappy', 'zstd'].map((compression) => ({ ...plain, protocol: 'grpc', compression }) as const),
  ...['none', 'gzip', 'zstd', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4'].map(
    (compression) => ({ ...plain, protocol: 'http', compression }) as const,
  ),
  ...['none', 'gzip', 'zstd'].map(
    (compression) => ({ ...plain, protocol: 'http', encoding: 'json', compression }) as const,
  ),
  ...(['tls', 'mtls'] as const).flatMap((security) =>
    (['grpc', 'http'] as const).map((protocol) => ({ ...plain, protocol, compression: 'gzip', security })),
  ),
]

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
export function gatewayConfig(to: Endpoint, certificates: Certificates): string {
  return config({
    receivers: Object.fromEntries(WAYS.map((way) => receiver(way, '127.0.0.1:0', certificates))),
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
    ...(security !== 'plain' && {
      tls: {
        cert_file: server.cert,
        key_file: server.key,
        ...(security === 'mtls' && { client_ca_file: ca }),
      },
    }),
  }
  return [`otlp/${nameOf(way)}`, { protocols: { [protocol]: settings } }]
}

function exporter(way: Way, address: string, { ca, client }: Certificates): [string, Section] {
  const { protocol, encoding, compression, security } = way
  const tls =
    security === 'plain'
      ? { insecure: true }
      : { ca_file: ca, ...(security === 'mtls' && { cert_file: client.cert, key_file: client.key }) }
  if (protocol === 'grpc') return [`otlp_grpc/${nameOf(way)}`, { endpoint: address, compression, tls }]
  const scheme = security === 'plain' ? 'http' : 'https'
  return [`otlp_http/${nameOf(way)}`, { endpoint: `${scheme}://${address}`, encoding, compression, tls }]
}

function pipelines(make: (signal: Stable) => [string, Section]): Section {
  return Object.fromEntries(STABLE.map(make))
}

/** JSON is YAML. */
function config({ pipelines, ...components }: { receivers: Section; exporters: Section; pipelines: Section }): string {
  return JSON.stringify({ ...components, service: { telemetry: { metrics: { level: 'none' } }, pipelines } }, null, 1)
}
