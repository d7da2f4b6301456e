import type { Timer } from '../clock.ts'
import type { ComponentContext, Deadline } from '../component/contracts.ts'
import { type Delivery, type Failure, nack, type Outcome } from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import type { Batch, Signal } from '../otlp/batch.ts'
import { Backoff } from './backoff.ts'
import { type ExportLog, seconds } from './export-log.ts'
import type { QueueConfig, RetryConfig } from './fields.ts'
import { Fifo } from './fifo.ts'
import { type ExporterMetrics, exporterMetrics } from './metrics.ts'
import type { Send, SendFailure, SendResult } from './send.ts'

/** What senders are asked to wait when the queue is full: about the time a busy exporter needs to make room. */
const FULL_RETRY_AFTER_MS = 1000

/** A batch from the moment it was taken until it is settled. */
interface Held {
  readonly delivery: Delivery
  readonly size: number
  /** Set at the first attempt. */
  startedAt: number
  attempts: number
  backoff: Backoff | undefined
  /** The wait for the next attempt, while there is one. */
  wait: Timer | undefined
  lastFailure: SendFailure | undefined
  settled: boolean
}

export interface SignalSenderOptions {
  readonly ctx: ComponentContext
  readonly queue: QueueConfig
  readonly retry: RetryConfig
  readonly timeoutMs: number
  readonly send: Send
  readonly log: ExportLog
}

/**
 * The batches of one signal that an exporter holds, from the queue to their last attempt. As in the Collector every
 * signal has its own queue, so that slow logs do not hold up traces, and what is being sent counts as held.
 *
 * ```
 * consume ─ room? ─▶ queued ─▶ attempt ─▶ settled
 *             │                 ▲    │
 *             ▼                 └ wait (keeps its place among num_consumers)
 *          nack retry
 * ```
 */
export class SignalSender {
  readonly #options: SignalSenderOptions
  readonly #metrics: ExporterMetrics
  readonly #queued = new Fifo<Held>()
  readonly #held = new Set<Held>()
  #size = 0
  /** Batches past the queue: under way or waiting for their next attempt. */
  #busy = 0
  #inFlight = 0
  #stopping = false
  #whenEmpty: (() => void) | undefined

  constructor(signal: Signal, options: SignalSenderOptions) {
    this.#options = options
    this.#metrics = exporterMetrics(options.ctx.meter, options.ctx.id, signal)
    if (options.queue.enabled) this.#metrics.queueCapacity.set(options.queue.queue_size)
  }

  /** Batches that are not settled. */
  get held(): number {
    return this.#held.size
  }

  consume(delivery: Delivery): void {
    if (this.#stopping) {
      nack(delivery, this.#failure('stopping', 'stopping', 'is stopping; send to another instance'))
      return
    }
    const { queue } = this.#options
    if (!queue.enabled) {
      this.#start(this.#hold(delivery, 0))
      return
    }
    const size = sizeOf(delivery.batch, queue.sizer)
    if (this.#size + size > queue.queue_size) {
      this.#refuse(delivery, size)
      return
    }
    this.#queued.push(this.#hold(delivery, size))
    if (!queue.wait_for_result) delivery.admit()
    this.#pump()
  }

  /** Waits end, everything gets one last attempt, and what the deadline finds unsettled is settled `stopping`. */
  async stop(deadline: Deadline): Promise<void> {
    this.#stopping = true
    for (const held of this.#held) {
      if (held.wait === undefined) continue
      held.wait.cancel()
      held.wait = undefined
      void this.#attempt(held)
    }
    if (!deadline.signal.aborted && this.#held.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
        deadline.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    this.#queued.clear()
    for (const held of this.#held) this.#leaveBehind(held)
  }

  #hold(delivery: Delivery, size: number): Held {
    const held: Held = {
      delivery,
      size,
      startedAt: 0,
      attempts: 0,
      backoff: undefined,
      wait: undefined,
      lastFailure: undefined,
      settled: false,
    }
    this.#held.add(held)
    this.#resize(size)
    return held
  }

  #refuse(delivery: Delivery, size: number): void {
    const { queue, log } = this.#options
    const { items } = delivery.batch
    this.#metrics.enqueueFailed.add(items)
    if (size > queue.queue_size) {
      // Waiting would not help: it is larger than an empty queue.
      const cause = `the batch of ${size} ${queue.sizer} is larger than sending_queue.queue_size (${queue.queue_size}); raise it, or split batches before`
      log.refused(items, cause)
      nack(delivery, this.#failure('reject', 'larger_than_queue', cause))
      return
    }
    const cause = `the queue is full (${this.#size} of ${queue.queue_size} ${queue.sizer}, ${this.#inFlight} in flight); see why the peer is slow, or raise sending_queue.queue_size`
    log.refused(items, cause)
    nack(delivery, { ...this.#failure('retry', 'queue_full', cause), retryAfterMs: FULL_RETRY_AFTER_MS })
  }

  #pump(): void {
    while (this.#busy < this.#options.queue.num_consumers) {
      const held = this.#queued.shift()
      if (held === undefined) return
      this.#start(held)
    }
  }

  #start(held: Held): void {
    this.#busy++
    held.startedAt = this.#options.ctx.clock.monotonic()
    void this.#attempt(held)
  }

  async #attempt(held: Held): Promise<void> {
    const { send, timeoutMs } = this.#options
    held.attempts++
    this.#metrics.inFlight.set(++this.#inFlight)
    let result: SendResult
    try {
      const { chunks } = held.delivery.batch
      arenas.retainAll(chunks)
      result = await send(held.delivery.batch, { timeoutMs, release: () => arenas.releaseAll(chunks) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      result = { ok: false, verdict: 'retry', reason: 'send_failed', message }
    }
    this.#metrics.inFlight.set(--this.#inFlight)
    // The deadline of a stop may have settled it meanwhile.
    if (!held.settled) this.#finish(held, result)
  }

  #finish(held: Held, result: SendResult): void {
    const { log } = this.#options
    if (result.ok) {
      log.attemptSucceeded()
      const rejected = Math.min(result.rejected ?? 0, held.delivery.batch.items)
      if (rejected > 0) {
        this.#metrics.sendFailed.add(rejected)
        log.partial(rejected, result.message ?? 'it did not say why')
      }
      this.#metrics.sent.add(held.delivery.batch.items - rejected)
      this.#settle(held, {
        ok: true,
        rejected,
        ...(result.message !== undefined && { message: result.message }),
      })
      return
    }
    held.lastFailure = result
    if (result.verdict === 'reject') {
      // Where it is lost, the line about the loss says why.
      if (held.delivery.awaited) log.attemptFailed(result.reason, result.message)
      this.#fail(held, 'reject', result.reason, result.message)
      return
    }
    log.attemptFailed(result.reason, result.message)
    if (!this.#options.retry.enabled) {
      this.#fail(held, 'retry', result.reason, result.message)
    } else if (this.#stopping) {
      this.#leaveBehind(held)
    } else {
      this.#waitOrGiveUp(held, result)
    }
  }

  #waitOrGiveUp(held: Held, failure: SendFailure): void {
    const { retry, ctx } = this.#options
    held.backoff ??= new Backoff(retry)
    const wait = Math.max(held.backoff.next(Math.random()), failure.retryAfterMs ?? 0)
    const elapsed = ctx.clock.monotonic() - held.startedAt
    if (retry.max_elapsed_time > 0 && elapsed + wait > retry.max_elapsed_time) {
      const attempts = held.attempts === 1 ? '1 attempt' : `${held.attempts} attempts`
      // `retry` also where a queue has answered for the data: nobody upstream sends it again then, but beside another
      // branch that still awaits, a sender that is told to come again saves it.
      this.#fail(
        held,
        'retry',
        'retries_exhausted',
        `gave up after ${attempts} in ${seconds(elapsed)}, last error: ${failure.message}`,
      )
      return
    }
    held.wait = ctx.clock.setTimeout(() => {
      held.wait = undefined
      void this.#attempt(held)
    }, wait)
  }

  #fail(held: Held, verdict: Failure['verdict'], reason: string, text: string): void {
    const { items } = held.delivery.batch
    this.#metrics.sendFailed.add(items)
    // Whoever still awaits has the data and is told; else this was the last place that had it.
    if (!held.delivery.awaited) this.#options.log.lost(items, text)
    this.#settle(held, { ok: false, failure: this.#failure(verdict, reason, text, held.lastFailure) })
  }

  #leaveBehind(held: Held): void {
    const last = held.lastFailure
    const why = last === undefined ? 'it was not sent in time' : `last error: ${last.message}`
    this.#fail(held, 'stopping', 'stopping', `stopped with the batch unsent, ${why}`)
  }

  #settle(held: Held, outcome: Outcome): void {
    held.settled = true
    held.wait?.cancel()
    if (held.attempts > 0) this.#busy--
    this.#held.delete(held)
    this.#resize(-held.size)
    held.delivery.settle(outcome)
    this.#pump()
    if (this.#held.size === 0) this.#whenEmpty?.()
  }

  #resize(by: number): void {
    if (!this.#options.queue.enabled) return
    this.#size += by
    this.#metrics.queueSize.set(this.#size)
  }

  #failure(verdict: Failure['verdict'], reason: string, text: string, from?: SendFailure): Failure {
    return {
      verdict,
      reason,
      message: `exporter ${this.#options.ctx.id}: ${text}`,
      ...(from?.retryAfterMs !== undefined && { retryAfterMs: from.retryAfterMs }),
      ...(from?.grpcStatus !== undefined && { grpcStatus: from.grpcStatus }),
    }
  }
}

function sizeOf(batch: Batch, sizer: QueueConfig['sizer']): number {
  if (sizer === 'requests') return 1
  return sizer === 'items' ? batch.items : batch.byteLength
}
