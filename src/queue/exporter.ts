import type { Refuses } from '../component/back-pressure.ts'
import type { Component, ComponentContext, Deadline } from '../component/contracts.ts'
import { type Acknowledgement, type Consumer, type Delivery, nack } from '../component/delivery.ts'
import type { Signal } from '../otlp/batch.ts'
import { ExportLog } from './export-log.ts'
import type { QueueConfig, RetryConfig } from './fields.ts'
import type { Send } from './send.ts'
import { SignalSender } from './signal-sender.ts'
import { tracedSend } from './traced-send.ts'

export interface QueuedExporterOptions {
  readonly ctx: ComponentContext
  /** Value of `sendingQueueField`. */
  readonly queue: QueueConfig
  /** Value of `retryField`. */
  readonly retry: RetryConfig
  /** Handed to every `send`, which keeps to it; 0: no limit. */
  readonly timeoutMs: number
  /**
   * The largest request in bytes, before compression, that the next hop is known to take: larger batches are cut. 0 or
   * absent: no limit is known. Either way less is sent once the peer refuses a request for its size.
   */
  readonly maxRequestBytes?: number
  readonly send: Send
}

export interface QueuedExporter extends Component, Consumer {
  readonly refusing: Refuses | undefined
  stopping(): void
  stop(deadline: Deadline): Promise<void>
}

/**
 * Everything of an exporter but the sending: a memory queue a signal, retries, counters, logs and the way to stop.
 * An exporter hands `stopping` and `stop` on; where it holds a client it closes that after `stop` has resolved.
 *
 * With the queue on, it acknowledges `admitted`, or `delivered` under `wait_for_result`. With it off, `delivered`: every
 * batch is sent as it comes, any number at a time, and retried while its sender waits.
 */
export function queuedExporter(options: QueuedExporterOptions): QueuedExporter {
  return new KitExporter(options)
}

class KitExporter implements QueuedExporter {
  readonly acknowledges: Acknowledgement
  readonly refusing: Refuses | undefined
  readonly #options: QueuedExporterOptions
  readonly #log: ExportLog
  readonly #senders = new Map<Signal, SignalSender>()
  #stopped: Promise<void> | undefined

  constructor(options: QueuedExporterOptions) {
    const { ctx, queue } = options
    const maxRequestBytes = options.maxRequestBytes || Number.POSITIVE_INFINITY
    const send = tracedSend(ctx, options.send)
    this.#options = options
    this.acknowledges = queue.enabled && !queue.wait_for_result ? 'admitted' : 'delivered'
    this.refusing =
      queue.enabled && !queue.block_on_overflow
        ? (arriving) => this.#senders.get(arriving.signal)?.refusing(arriving)
        : undefined
    this.#log = new ExportLog(ctx, () => {
      let held = 0
      for (const sender of this.#senders.values()) held += sender.held
      return held
    })
    for (const signal of ctx.signals) {
      this.#senders.set(signal, new SignalSender(signal, { ...options, send, maxRequestBytes, log: this.#log }))
    }
  }

  consume(delivery: Delivery): void {
    const sender = this.#senders.get(delivery.batch.signal)
    if (sender === undefined) {
      const { signal } = delivery.batch
      nack(delivery, {
        verdict: 'reject',
        reason: 'wrong_signal',
        message: `exporter ${this.#options.ctx.id}: is in no ${signal} pipeline but was handed ${signal}`,
      })
      return
    }
    sender.consume(delivery)
  }

  stopping(): void {
    for (const sender of this.#senders.values()) sender.stopping()
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopped ??= this.#stop(deadline)
    return this.#stopped
  }

  async #stop(deadline: Deadline): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.stop(deadline)))
    this.#log.close()
  }
}
