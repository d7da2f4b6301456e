import type { Clock, Timer } from '../clock.ts'
import type { ProcessorConfig } from '../config/telemetry-fields.ts'
import type { Signal } from '../otlp/batch.ts'
import { type OwnSender, ownSender, within } from './own-sender.ts'

export interface OwnProcessorOptions<T> {
  readonly config: ProcessorConfig
  readonly clock: Clock
  readonly signal: Signal
  /** What is gathered, as a request. */
  readonly encode: (items: readonly T[]) => Uint8Array
  /** Items that found no room in the queue, or that an export lost. */
  readonly dropped: (items: number) => void
  readonly failed: (reason: string) => void
}

/** What `simple` keeps while an export is on its way. */
const SIMPLE_QUEUE = 2048

/**
 * A `batch` or `simple` processor of OpenTelemetry's SDKs: gathers items in a bounded queue and sends them, one export at a
 * time. What finds no room, and what an export could not deliver in its time, is dropped and counted.
 */
export class OwnProcessor<T> {
  readonly #options: OwnProcessorOptions<T>
  readonly #delayMs: number
  readonly #timeoutMs: number
  readonly #queueSize: number
  readonly #batchSize: number
  #queue: T[] = []
  #sender: OwnSender | undefined
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  #stopped = false

  constructor(options: OwnProcessorOptions<T>) {
    const { batch } = options.config
    this.#options = options
    this.#delayMs = batch?.schedule_delay ?? 0
    this.#timeoutMs = batch?.export_timeout ?? 30_000
    this.#queueSize = batch?.max_queue_size ?? SIMPLE_QUEUE
    this.#batchSize = batch?.max_export_batch_size ?? 1
  }

  async start(): Promise<void> {
    const { config, clock } = this.#options
    const exporter = config.batch?.exporter ?? config.simple?.exporter
    this.#sender = await ownSender(exporter ?? {}, clock)
    this.#schedule()
  }

  add(item: T): void {
    if (this.#stopped || this.#queue.length >= this.#queueSize) {
      this.#options.dropped(1)
      return
    }
    this.#queue.push(item)
    this.#schedule()
  }

  /** Sends what is gathered, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.cancel()
    const { clock } = this.#options
    const end = clock.monotonic() + timeoutMs
    await within(this.#running, timeoutMs, clock)
    while (this.#queue.length > 0 && this.#sender !== undefined) {
      const left = end - clock.monotonic()
      if (left <= 0) break
      await this.#export(this.#timeoutMs === 0 ? left : Math.min(left, this.#timeoutMs))
    }
    if (this.#queue.length > 0) this.#options.dropped(this.#queue.length)
    this.#queue = []
    await this.#sender?.close()
  }

  /** Sends as soon as there is a batch, and after the delay otherwise. */
  #schedule(): void {
    if (this.#sender === undefined || this.#running !== undefined || this.#stopped || this.#queue.length === 0) return
    if (this.#queue.length >= this.#batchSize) {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#run()
    } else {
      this.#timer ??= this.#options.clock.setTimeout(() => {
        this.#timer = undefined
        this.#run()
      }, this.#delayMs)
    }
  }

  #run(): void {
    this.#running ??= this.#export(this.#timeoutMs).finally(() => {
      this.#running = undefined
      this.#schedule()
    })
  }

  async #export(timeoutMs: number): Promise<void> {
    const items = this.#queue.splice(0, this.#batchSize)
    if (items.length === 0) return
    const { encode, signal, failed, dropped } = this.#options
    const reason = await this.#sender?.send(signal, encode(items), timeoutMs)
    if (reason === undefined) return
    dropped(items.length)
    failed(reason)
  }
}
