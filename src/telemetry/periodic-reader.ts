import type { Clock, Timer } from '../clock.ts'
import type { PeriodicConfig } from '../config/telemetry-fields.ts'
import { OtlpMetrics } from './otlp-metrics.ts'
import type { OwnResource } from './own-resource.ts'
import { type OwnSender, ownSender, within } from './own-sender.ts'
import type { Reading } from './registry.ts'

export interface PeriodicOptions {
  readonly config: PeriodicConfig
  readonly clock: Clock
  readonly resource: OwnResource
  readonly version: string
  readonly startedAt: number
  /** The readings now, views applied. */
  readonly read: () => readonly Reading[]
  /** An export that failed; what it held is told again by the next. */
  readonly failed: (reason: string) => void
}

/** Sends metrics every `interval`, and once more when it stops. One export at a time: one that is late skips a turn. */
export class PeriodicReader {
  readonly #options: PeriodicOptions
  readonly #metrics: OtlpMetrics
  #sender: OwnSender | undefined
  #timer: Timer | undefined
  #running: Promise<void> | undefined

  constructor(options: PeriodicOptions) {
    const { resource, version, startedAt, config } = options
    const { temporality_preference: temporality = 'cumulative', default_histogram_aggregation } =
      config.exporter.otlp ?? {}
    this.#options = options
    const histograms = default_histogram_aggregation ?? 'base2_exponential_bucket_histogram'
    this.#metrics = new OtlpMetrics({ resource, version, startedAt, temporality, histograms })
  }

  async start(): Promise<void> {
    const { config, clock } = this.#options
    this.#sender = await ownSender(config.exporter, clock)
    this.#arm()
  }

  /** The last readings leave, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const sender = this.#sender
    const { config, clock } = this.#options
    if (sender === undefined) return
    const end = clock.monotonic() + timeoutMs
    await within(this.#running, timeoutMs, clock)
    const left = end - clock.monotonic()
    if (left > 0) await this.#export(config.timeout === 0 ? left : Math.min(left, config.timeout))
    this.#sender = undefined
    await sender.close()
  }

  #arm(): void {
    const { config, clock } = this.#options
    this.#timer = clock.setTimeout(() => {
      this.#arm()
      this.#running ??= this.#export(config.timeout).finally(() => {
        this.#running = undefined
      })
    }, config.interval)
  }

  async #export(timeoutMs: number): Promise<void> {
    const { clock, read, failed } = this.#options
    const { bytes, items } = this.#metrics.encode(read(), clock.now())
    if (items === 0) return
    const reason = await this.#sender?.send('metrics', bytes, timeoutMs)
    if (reason === undefined) this.#metrics.commit()
    else failed(reason)
  }
}
