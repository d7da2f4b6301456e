import { type Clock, LONGEST_TIMER_MS } from '../clock.ts'
import type { OtlpConfig } from '../config/telemetry-fields.ts'
import type { Signal } from '../otlp/batch.ts'
import { toJson } from '../otlp/json.ts'
import { parseGrpcTarget } from '../transport/dial-target.ts'
import { grpcClient } from '../transport/grpc-client.ts'
import { httpClient } from '../transport/http-client.ts'
import { HTTP_PATHS } from '../transport/otlp-services.ts'
import { ClientTls } from '../transport/tls.ts'
import { type CallResult, type Client, GRPC } from '../transport/unary.ts'
import { USER_AGENT } from '../transport/user-agent.ts'
import { otlpHeaders } from './otlp-target.ts'

/** A way out for what Sluice tells about itself. */
export interface OwnSender {
  /** Sends a serialized request. Undefined when it arrived, else why not. Never rejects. `timeoutMs` 0: no limit. */
  send(signal: Signal, request: Uint8Array, timeoutMs: number): Promise<string | undefined>
  close(): Promise<void>
}

/** Where something is sent to: one of the two. */
export interface Destination {
  readonly otlp?: OtlpConfig | undefined
  readonly console?: object | undefined
}

/** Waits between attempts grow from the first by the factor, as OTLP exporters of the SDKs do. */
const RETRY_FIRST_MS = 1000
const RETRY_FACTOR = 1.5

/** Reads certificates; connects with the first request. */
export async function ownSender({ otlp }: Destination, clock: Clock): Promise<OwnSender> {
  return otlp === undefined ? consoleSender() : new OtlpSender(await clientOf(otlp, clock), otlp.timeout, clock)
}

/** One JSON object a request, as the file exporter writes them. */
function consoleSender(): OwnSender {
  return {
    async send(signal, request) {
      process.stdout.write(Buffer.concat([toJson(signal, [request]), Buffer.from('\n')]))
      return undefined
    },
    async close() {},
  }
}

async function clientOf(config: OtlpConfig, clock: Clock): Promise<Client> {
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

/** Codes after which OTLP clients try again (OTLP specification, "Failures"). */
const AGAIN: ReadonlySet<number> = new Set<number>([
  GRPC.CANCELLED,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.ABORTED,
  GRPC.OUT_OF_RANGE,
  GRPC.UNAVAILABLE,
  GRPC.DATA_LOSS,
])

const AGAIN_HTTP: ReadonlySet<number> = new Set([429, 502, 503, 504])

class OtlpSender implements OwnSender {
  readonly #client: Client
  readonly #clock: Clock
  readonly #attemptMs: number
  #closed = false

  constructor(client: Client, attemptMs: number, clock: Clock) {
    this.#client = client
    this.#attemptMs = attemptMs
    this.#clock = clock
  }

  async send(signal: Signal, request: Uint8Array, timeoutMs: number): Promise<string | undefined> {
    const end = this.#clock.monotonic() + (timeoutMs === 0 ? LONGEST_TIMER_MS : timeoutMs)
    for (let wait = RETRY_FIRST_MS; ; wait *= RETRY_FACTOR) {
      const left = end - this.#clock.monotonic()
      const attemptMs = Math.min(left, this.#attemptMs === 0 ? LONGEST_TIMER_MS : this.#attemptMs)
      const result = await this.#client.call(signal, [request], { timeoutMs: Math.max(1, attemptMs) })
      if (result.ok) return undefined
      const pause = Math.max(wait, result.status.retryAfterMs ?? 0)
      if (this.#closed || !mayTryAgain(result) || this.#clock.monotonic() + pause >= end) return result.status.message
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, pause))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client.close()
  }
}

function mayTryAgain(result: CallResult): boolean {
  if (result.ok) return false
  if (result.httpStatus !== undefined) return AGAIN_HTTP.has(result.httpStatus)
  const { code, retryAfterMs } = result.status
  return (
    result.connection !== undefined ||
    AGAIN.has(code) ||
    (code === GRPC.RESOURCE_EXHAUSTED && retryAfterMs !== undefined)
  )
}
