import { type Clock, LONGEST_TIMER_MS } from '../clock.ts'
import type { OtlpConfig } from '../config/telemetry-fields.ts'
import type { Signal } from '../otlp/batch.ts'
import type { toJson as ToJson } from '../otlp/json.ts'
import { type CallResult, type Client, GRPC } from '../transport/unary.ts'

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
  // Imported only where something is sent: the clients are half of what a start would load.
  if (otlp === undefined) return consoleSender((await import('../otlp/json.ts')).toJson)
  const { ownClient } = await import('./own-client.ts')
  return new OtlpSender(await ownClient(otlp, clock), otlp.timeout, clock)
}

/** One JSON object a request, as the file exporter writes them. */
function consoleSender(toJson: typeof ToJson): OwnSender {
  return {
    async send(signal, request) {
      process.stdout.write(Buffer.concat([toJson(signal, [request]), Buffer.from('\n')]))
      return undefined
    },
    async close() {},
  }
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

/** Waits for what is under way, if anything, for at most `ms`: a stop has no more time than it was given. */
export async function within(work: Promise<void> | undefined, ms: number, clock: Clock): Promise<void> {
  if (work === undefined) return
  await new Promise<void>((resolve) => {
    const timer = clock.setTimeout(resolve, ms)
    const over = (): void => {
      timer.cancel()
      resolve()
    }
    work.then(over, over)
  })
}

class OtlpSender implements OwnSender {
  readonly #client: Client
  readonly #clock: Clock
  readonly #attemptMs: number
  /** Ends the pauses before next attempts. */
  readonly #pauses = new Set<() => void>()
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
      await this.#pause(pause)
      if (this.#closed) return result.status.message
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel()
        this.#pauses.delete(over)
        resolve()
      }
      const timer = this.#clock.setTimeout(over, ms)
      this.#pauses.add(over)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const over of this.#pauses) over()
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
