import type { Clock } from '../clock.ts'
import type { OtlpConfig } from '../config/telemetry-fields.ts'
import type { Signal } from '../otlp/batch.ts'
import { toJson } from '../otlp/json.ts'
import { parseGrpcTarget } from '../transport/dial-target.ts'
import { grpcClient } from '../transport/grpc-client.ts'
import { httpClient } from '../transport/http-client.ts'
import { HTTP_PATHS } from '../transport/otlp-services.ts'
import { ClientTls } from '../transport/tls.ts'
import type { Client } from '../transport/unary.ts'
import { USER_AGENT } from '../transport/user-agent.ts'
import { otlpHeaders } from './otlp-target.ts'

/** The client of an `otlp` exporter of own telemetry. Reads certificates; connects with the first request. */
export async function ownClient(config: OtlpConfig, clock: Clock): Promise<Client> {
  const { protocol, tls } = config
  const found = otlpHeaders(config)
  const values = typeof found === 'string' ? [] : found.values
  const headers = Object.fromEntries(values.map(({ name, value }) => [name, value]))
  const compression = config.compression === 'gzip' ? ({ compression: 'gzip' } as const) : {}
  const secure = (): ClientTls =>
    new ClientTls(
      {
        min_version: '1.2',
        include_system_ca_certs_pool: false,
        insecure: false,
        insecure_skip_verify: false,
        ca_file: config.certificate ?? tls?.ca_file,
        cert_file: config.client_certificate ?? tls?.cert_file,
        key_file: config.client_key ?? tls?.key_file,
      } as ConstructorParameters<typeof ClientTls>[0],
      { configuredBy: 'service.telemetry: tls', clock },
    )
  if (protocol === 'grpc') {
    const endpoint = config.endpoint ?? 'http://localhost:4317'
    const target = parseGrpcTarget(endpoint)
    if (typeof target === 'string') throw new Error(target)
    const clear = endpoint.startsWith('http://') || (!target.secure && (config.insecure || tls?.insecure === true))
    return grpcClient({
      target,
      headers,
      userAgent: USER_AGENT,
      ...compression,
      ...(!clear && { tls: secure() }),
    })
  }
  const base = config.endpoint ?? 'http://localhost:4318'
  const json = protocol === 'http/json'
  return httpClient({
    urls: { traces: signalUrl(base, 'traces'), metrics: signalUrl(base, 'metrics'), logs: signalUrl(base, 'logs') },
    headers,
    userAgent: USER_AGENT,
    contentType: json ? 'application/json' : 'application/x-protobuf',
    ...(json && { encode: toJson }),
    ...compression,
    tls: secure(),
    maxConnections: 1,
    now: () => clock.now(),
  })
}

/** A URL with a path of its own is used as it is, as the SDKs do with an endpoint of one signal. */
function signalUrl(base: string, signal: Signal): string {
  const url = new URL(base)
  return url.pathname === '/' ? `${base.replace(/\/$/, '')}${HTTP_PATHS[signal]}` : base
}
