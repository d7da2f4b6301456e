import type { Signal } from '../otlp/batch.ts'
import { httpStatusOf } from '../transport/http-status.ts'
import { GRPC_PATHS, HTTP_PATHS } from '../transport/otlp-services.ts'
import {
  type CallOptions,
  type CallResult,
  type CallStatus,
  type Client,
  GRPC,
  type ServerCall,
} from '../transport/unary.ts'
import { SECONDS, USUAL } from './boundaries.ts'
import type { Histogram, Labels, Meter } from './meter.ts'

const STATUS_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(GRPC).map(([name, code]) => [code, name]))

const DETAILED = { level: 'detailed' } as const
const DURATION = { ...DETAILED, unit: 's', boundaries: SECONDS }
const SIZE = { ...DETAILED, unit: 'By', boundaries: USUAL }

/** Statuses that are told apart, of all signals together: peers make them up, and every series takes of a meter's room. */
const MOST_SERIES = 64
/** What the others are called. */
const OTHER = '_OTHER'

/** Histograms by the few combinations of labels that there are, made when they are first seen. */
class Family {
  readonly #make: (labels: Labels) => Histogram
  readonly #series = new Map<string, Histogram>()

  constructor(make: (labels: Labels) => Histogram) {
    this.#make = make
  }

  of(signal: Signal, status: string, labels: (status: string) => Labels): Histogram {
    const key = `${signal} ${status}`
    let series = this.#series.get(key)
    if (series === undefined) {
      if (this.#series.size >= MOST_SERIES && status !== OTHER) return this.of(signal, OTHER, labels)
      series = this.#make(labels(status))
      this.#series.set(key, series)
    }
    return series
  }
}

function rpcLabels(signal: Signal, status: string): Labels {
  return {
    'rpc.method': GRPC_PATHS[signal].slice(1),
    'rpc.response.status_code': status,
    'rpc.system.name': 'grpc',
  }
}

function httpLabels(status: string, scheme: string): Labels {
  return {
    'http.request.method': 'POST',
    'http.response.status_code': status,
    'network.protocol.name': 'http',
    'network.protocol.version': '1.1',
    'url.scheme': scheme,
  }
}

/** What a server's calls are wrapped by at level `detailed`; below it, undefined: nothing stands in their way. */
export type ObserveCall = (call: ServerCall) => ServerCall

/** Durations and sizes of a server's calls under OpenTelemetry's names, from the whole body to the answer. */
export function observedCalls(
  meter: Meter,
  protocol: 'grpc' | 'http',
  paths: Readonly<Record<Signal, string>> = HTTP_PATHS,
): ObserveCall | undefined {
  if (!meter.enabled('detailed')) return undefined
  if (protocol === 'grpc') {
    const durations = new Family((labels) =>
      meter.histogram('rpc.server.call.duration', labels, {
        ...DURATION,
        description: 'Seconds from the whole body of a call to its answer.',
      }),
    )
    return (call) =>
      new ObservedCall(call, (seconds, code) => {
        const { signal } = call.head
        const status = STATUS_NAMES.get(code) ?? String(code)
        durations.of(signal, status, (shown) => rpcLabels(signal, shown)).record(seconds)
      })
  }
  const family = (name: string, options: typeof DURATION | typeof SIZE, description: string): Family =>
    new Family((labels) => meter.histogram(name, labels, { ...options, description }))
  const durations = family(
    'http.server.request.duration',
    DURATION,
    'Seconds from the whole body of a request to its answer.',
  )
  const requests = family('http.server.request.body.size', SIZE, 'Bytes of request bodies, decompressed.')
  const responses = family('http.server.response.body.size', SIZE, 'Bytes of protobuf in response bodies.')
  return (call) => {
    // It may be given back before the answer.
    const requestBytes = call.body.byteLength
    return new ObservedCall(call, (seconds, code, httpStatus, bytes) => {
      const { signal } = call.head
      const status = String(httpStatus ?? (code === GRPC.OK ? 200 : httpStatusOf(code)))
      const labels = (shown: string): Labels => ({ ...httpLabels(shown, 'http'), 'http.route': paths[signal] })
      durations.of(signal, status, labels).record(seconds)
      requests.of(signal, status, labels).record(requestBytes)
      responses.of(signal, status, labels).record(bytes)
    })
  }
}

/** A call that is measured when it is answered. */
class ObservedCall implements ServerCall {
  readonly #call: ServerCall
  readonly #answered: (seconds: number, code: number, httpStatus: number | undefined, bytes: number) => void
  readonly #started = performance.now()

  constructor(
    call: ServerCall,
    answered: (seconds: number, code: number, httpStatus: number | undefined, bytes: number) => void,
  ) {
    this.#call = call
    this.#answered = answered
  }

  get head(): ServerCall['head'] {
    return this.#call.head
  }

  get body(): Uint8Array {
    return this.#call.body
  }

  get reservation(): ServerCall['reservation'] {
    return this.#call.reservation
  }

  get gone(): boolean {
    return this.#call.gone
  }

  get deadline(): number | undefined {
    return this.#call.deadline
  }

  onGone(callback: () => void): void {
    this.#call.onGone(callback)
  }

  ok(response?: Uint8Array): void {
    this.#count(GRPC.OK, undefined, response?.byteLength ?? 0)
    this.#call.ok(response)
  }

  fail(status: CallStatus): void {
    this.#count(status.code, status.httpStatus, 0)
    this.#call.fail(status)
  }

  #count(code: number, httpStatus: number | undefined, bytes: number): void {
    this.#answered((performance.now() - this.#started) / 1000, code, httpStatus, bytes)
  }
}

/** The client itself below level `detailed`; else one that measures its calls. `endpoint` is `host:port` or a URL. */
export function observedClient(client: Client, meter: Meter, protocol: 'grpc' | 'http', endpoint: string): Client {
  return meter.enabled('detailed') ? new ObservedClient(client, meter, protocol, endpoint) : client
}

class ObservedClient implements Client {
  readonly #client: Client
  readonly #record: (signal: Signal, result: CallResult, seconds: number, bytes: number) => void

  constructor(client: Client, meter: Meter, protocol: 'grpc' | 'http', endpoint: string) {
    this.#client = client
    const server = serverOf(endpoint)
    const scheme = endpoint.startsWith('https:') ? 'https' : 'http'
    const durations = new Family((labels) =>
      meter.histogram(protocol === 'grpc' ? 'rpc.client.call.duration' : 'http.client.request.duration', labels, {
        ...DURATION,
        description:
          protocol === 'grpc' ? 'Seconds that calls to a server take.' : 'Seconds that requests to a server take.',
      }),
    )
    const sizes =
      protocol === 'http'
        ? new Family((labels) =>
            meter.histogram('http.client.request.body.size', labels, {
              ...SIZE,
              description: 'Bytes of request bodies, before compression.',
            }),
          )
        : undefined
    this.#record = (signal, result, seconds, bytes) => {
      const code = result.ok ? GRPC.OK : result.status.code
      const status =
        protocol === 'grpc'
          ? (STATUS_NAMES.get(code) ?? String(code))
          : String(result.ok ? 200 : (result.httpStatus ?? ''))
      const labels = (shown: string): Labels => ({
        ...(protocol === 'grpc' ? rpcLabels(signal, shown) : httpLabels(shown, scheme)),
        ...server,
      })
      durations.of(signal, status, labels).record(seconds)
      sizes?.of(signal, status, labels).record(bytes)
    }
  }

  async call(signal: Signal, chunks: readonly Uint8Array[], options: CallOptions): Promise<CallResult> {
    const started = performance.now()
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.byteLength
    const result = await this.#client.call(signal, chunks, options)
    this.#record(signal, result, (performance.now() - started) / 1000, bytes)
    return result
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

function serverOf(endpoint: string): Labels {
  const rest = endpoint.replace(/^[a-z0-9]+:(\/\/)?\/?/i, (scheme) =>
    /^[a-z]/i.test(scheme) && scheme.includes('/') ? '' : scheme,
  )
  // Without credentials, which end with the last "@".
  const authority = (rest.split('/')[0] ?? '').replace(/^.*@/, '')
  const at = authority.lastIndexOf(':')
  if (at < 0) return { 'server.address': authority }
  return { 'server.address': authority.slice(0, at), 'server.port': authority.slice(at + 1) }
}
