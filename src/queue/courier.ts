import type { Timer } from '../clock.ts'
import type { ComponentContext, Deadline } from '../component/contracts.ts'
import { DELIVERED, type Delivery, type Failure, type Outcome } from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import { Backoff } from './backoff.ts'
import { cutSmaller, cutToSize } from './cutting.ts'
import { type ExportLog, seconds } from './export-log.ts'
import { clientGone, errorType, failureOf } from './failure.ts'
import type { RetryConfig } from './fields.ts'
import { Line, type Place } from './line.ts'
import type { ExporterMetrics } from './metrics.ts'
import { RequestLimit } from './request-limit.ts'
import type { Send, SendFailure, SendResult } from './send.ts'

export interface CourierOptions {
  readonly ctx: ComponentContext
  readonly retry: RetryConfig
  readonly timeoutMs: number
  readonly send: Send
  readonly log: ExportLog
  readonly metrics: ExporterMetrics
  /** How many shipments are under way or wait for their next attempt at a time; `Infinity` for no limit. */
  readonly consumers: number
  /** What the next hop takes, in bytes; `Infinity` where nobody said. */
  readonly maxRequestBytes: number
}

/** A peer that lets nothing be heard for so long makes no room. */
const STANDS_STILL_MS = 5000

/** What goes to the peer in one request, from the moment it was taken until it is settled. */
interface Shipment {
  readonly delivery: Delivery
  /** While it waits for a consumer. */
  place: Place<Shipment> | undefined
  /** Has one. */
  busy: boolean
  /** Of the first attempt. */
  startedAt: number
  attempts: number
  backoff: Backoff | undefined
  /** The wait for the next attempt, while there is one. */
  wait: Timer | undefined
  lastFailure: SendFailure | undefined
  /** Hears of it when nobody waits any more. */
  watched: boolean
  settled: boolean
}

/**
 * Brings deliveries to the peer: cut to what the next hop takes, tried again, settled. Every part of a cut one is a shipment
 * of its own, so that what has arrived is not sent again; the delivery ends with the worst outcome of its parts.
 *
 * ```
 * take ─▶ line ─▶ small enough? ─▶ attempt ─▶ settled
 *           ▲        │ no           ▲    │
 *           └ parts ─┴──────────────┼────┤ too large
 *                                   └ wait (keeps its consumer)
 * ```
 */
export class Courier {
  readonly #options: CourierOptions
  readonly #limit: RequestLimit
  readonly #line = new Line<Shipment>()
  readonly #held = new Set<Shipment>()
  #busy = 0
  #inFlight = 0
  #pumping = false
  #closing = false
  #stopping = false
  #whenEmpty: (() => void) | undefined
  #advancedAt = Number.NEGATIVE_INFINITY

  constructor(options: CourierOptions) {
    this.#options = options
    this.#limit = new RequestLimit(options.maxRequestBytes)
    if (Number.isFinite(options.maxRequestBytes)) options.metrics.requestLimit.set(options.maxRequestBytes)
  }

  /** Shipments that are not settled. */
  get held(): number {
    return this.#held.size
  }

  /**
   * Whether the peer takes data, or refuses it for good: that makes room. False once an attempt has failed so that it is repeated, or
   * where nothing was heard for a while.
   */
  get advancing(): boolean {
    return this.#options.ctx.clock.monotonic() - this.#advancedAt < STANDS_STILL_MS
  }

  /** Shipments that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight
  }

  take(delivery: Delivery): void {
    const shipment = this.#hold(delivery)
    if (!this.#pumping && this.#line.length === 0 && this.#busy < this.#options.consumers) {
      this.#start(shipment)
      return
    }
    shipment.place = this.#line.push(shipment)
    // It may wait for long now.
    this.#watch(shipment)
  }

  /** A stop is near: senders that wait are told after one last attempt, so that they can go elsewhere. */
  stopping(): void {
    this.#closing = true
    for (const shipment of this.#held) if (shipment.delivery.awaited) this.#attemptNow(shipment)
  }

  /** Waits end, everything gets one last attempt, and what the deadline finds unsettled is settled `stopping`. */
  async stop(deadline: Deadline): Promise<void> {
    this.#stopping = true
    for (const shipment of this.#held) this.#attemptNow(shipment)
    if (!deadline.signal.aborted && this.#held.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
        deadline.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    // Nothing new begins while the rest is given up.
    this.#pumping = true
    for (const shipment of this.#held) this.#leaveBehind(shipment)
  }

  /** Ends the wait for the next attempt, where there is one. */
  #attemptNow(shipment: Shipment): void {
    if (shipment.wait === undefined) return
    shipment.wait.cancel()
    shipment.wait = undefined
    void this.#attempt(shipment)
  }

  #hold(delivery: Delivery): Shipment {
    const shipment: Shipment = {
      delivery,
      place: undefined,
      busy: false,
      startedAt: 0,
      attempts: 0,
      backoff: undefined,
      wait: undefined,
      lastFailure: undefined,
      watched: false,
      settled: false,
    }
    this.#held.add(shipment)
    return shipment
  }

  #pump(): void {
    // Settling calls back here; the loop below goes on with what it freed.
    if (this.#pumping) return
    this.#pumping = true
    while (this.#busy < this.#options.consumers) {
      const shipment = this.#line.shift()
      if (shipment === undefined) break
      shipment.place = undefined
      this.#start(shipment)
    }
    this.#pumping = false
  }

  #start(shipment: Shipment): void {
    const { metrics, ctx } = this.#options
    const { delivery } = shipment
    if (delivery.abandoned) {
      this.#giveUp(shipment)
      return
    }
    const now = ctx.clock.monotonic()
    const limit = this.#limit.at(now)
    if (delivery.batch.byteLength > limit && this.#divide(shipment, cutToSize(delivery, limit))) return
    this.#busy++
    shipment.busy = true
    shipment.startedAt = now
    metrics.sendSize.record(delivery.batch.items)
    metrics.sendBytes.record(delivery.batch.byteLength)
    void this.#attempt(shipment)
  }

  /** Puts the parts of a shipment in its place, at the front of the line; false where there are none. */
  #divide(shipment: Shipment, parts: readonly Delivery[] | undefined): boolean {
    if (parts === undefined) return false
    this.#options.metrics.cut.add(1)
    this.#forget(shipment)
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = this.#hold(parts[i]!)
      part.place = this.#line.unshift(part)
    }
    this.#pump()
    return true
  }

  async #attempt(shipment: Shipment): Promise<void> {
    const { send, timeoutMs, metrics } = this.#options
    const { batch } = shipment.delivery
    const { chunks } = batch
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      arenas.releaseAll(chunks)
    }
    shipment.attempts++
    metrics.inFlight.set(++this.#inFlight)
    let result: SendResult
    arenas.retainAll(chunks)
    try {
      result = await send(batch, { timeoutMs, release })
    } catch (error) {
      release()
      const message = error instanceof Error ? error.message : String(error)
      result = { ok: false, verdict: 'retry', reason: 'send_failed', message }
    }
    metrics.inFlight.set(--this.#inFlight)
    // The deadline of a stop may have settled it meanwhile.
    if (!shipment.settled) this.#finish(shipment, result)
  }

  #finish(shipment: Shipment, result: SendResult): void {
    const { ctx, log, metrics, retry } = this.#options
    const { delivery } = shipment
    const repeated = !result.ok && result.verdict !== 'reject' && !result.tooLarge
    this.#advancedAt = repeated ? Number.NEGATIVE_INFINITY : ctx.clock.monotonic()
    if (result.ok) {
      log.attemptSucceeded()
      const rejected = Math.min(result.rejected ?? 0, delivery.batch.items)
      if (rejected > 0) {
        metrics.sendFailed(rejected, 'PartialSuccess', true)
        log.partial(rejected, result.message ?? 'it did not say why')
      }
      metrics.sent.add(delivery.batch.items - rejected)
      const { message } = result
      const plain = rejected === 0 && message === undefined
      this.#settle(shipment, plain ? DELIVERED : { ok: true, rejected, ...(message !== undefined && { message }) })
      return
    }
    shipment.lastFailure = result
    if (result.tooLarge) {
      this.#tooLarge(shipment, result)
      return
    }
    if (result.verdict === 'reject') {
      // Where it is lost, the line about the loss says why.
      if (delivery.awaited) log.attemptFailed(result.reason, result.message)
      this.#fail(shipment, 'reject', result.reason, result.message)
      return
    }
    log.attemptFailed(result.reason, result.message)
    if (!retry.enabled) this.#fail(shipment, 'retry', result.reason, result.message)
    else if (this.#stopping || (this.#closing && delivery.awaited)) this.#leaveBehind(shipment)
    else if (delivery.abandoned) this.#giveUp(shipment)
    else this.#waitOrGiveUp(shipment, result)
  }

  /** Smaller requests from now on, beginning with this one; what cannot be cut ends alone. */
  #tooLarge(shipment: Shipment, { message }: SendFailure): void {
    const { ctx, log, metrics } = this.#options
    const { batch } = shipment.delivery
    const now = ctx.clock.monotonic()
    this.#limit.refused(batch.byteLength, now)
    const limit = this.#limit.at(now)
    metrics.requestLimit.set(limit)
    if (this.#divide(shipment, cutSmaller(shipment.delivery, limit))) {
      log.tooLarge(batch.items, `${message}; sends at most ${limit} bytes at a time for now`)
      return
    }
    this.#fail(shipment, 'reject', 'rejected_too_large', `${message}; it cannot be cut any smaller`)
  }

  #waitOrGiveUp(shipment: Shipment, failure: SendFailure): void {
    const { retry, ctx } = this.#options
    shipment.backoff ??= new Backoff(retry)
    const wait = Math.max(shipment.backoff.next(Math.random()), failure.retryAfterMs ?? 0)
    const now = ctx.clock.monotonic()
    const elapsed = now - shipment.startedAt
    const last = `last error: ${failure.message}`
    if (retry.max_elapsed_time > 0 && elapsed + wait > retry.max_elapsed_time) {
      // `retry` also where a queue has answered for the data: nobody upstream sends it again then, but beside another
      // branch that still awaits, a sender that is told to come again saves it.
      const attempts = attemptsOf(shipment)
      this.#fail(shipment, 'retry', 'retries_exhausted', `gave up after ${attempts} in ${seconds(elapsed)}, ${last}`)
      return
    }
    if (now + wait > shipment.delivery.deadline) {
      const why = `the sender does not wait for the next attempt in ${seconds(wait)}, ${last}`
      this.#fail(shipment, 'retry', 'retries_exhausted', why)
      return
    }
    shipment.wait = ctx.clock.setTimeout(() => {
      shipment.wait = undefined
      void this.#attempt(shipment)
    }, wait)
    this.#watch(shipment)
  }

  /** Gives up as soon as nobody waits for it any more; an attempt under way finishes first. */
  #watch(shipment: Shipment): void {
    if (shipment.watched) return
    shipment.watched = true
    shipment.delivery.onAbandoned(() => {
      const waits = shipment.wait !== undefined || shipment.place !== undefined
      if (!shipment.settled && waits) this.#giveUp(shipment)
    })
  }

  #giveUp(shipment: Shipment): void {
    const last = shipment.lastFailure === undefined ? '' : `, last error: ${shipment.lastFailure.message}`
    const text = `the sender gave up after ${attemptsOf(shipment)}${last}`
    this.#end(shipment, clientGone(this.#options.ctx.id, text), text)
  }

  #leaveBehind(shipment: Shipment): void {
    const last = shipment.lastFailure
    const why = last === undefined ? 'it was not sent in time' : `last error: ${last.message}`
    this.#fail(shipment, 'stopping', 'stopping', `stopped with the batch unsent, ${why}`)
  }

  #fail(shipment: Shipment, verdict: Failure['verdict'], reason: string, text: string): void {
    this.#end(shipment, failureOf(this.#options.ctx.id, verdict, reason, text, shipment.lastFailure), text)
  }

  #end(shipment: Shipment, failure: Failure, text: string): void {
    const { log, metrics } = this.#options
    const { batch, awaited, abandoned } = shipment.delivery
    metrics.sendFailed(batch.items, errorType(failure), failure.verdict === 'reject')
    // Whoever still awaits has the data and is told, and who has given up was told nothing; else this was the last place
    // that had it.
    if (!awaited && !abandoned) log.lost(batch.items, text)
    this.#settle(shipment, { ok: false, failure })
  }

  #settle(shipment: Shipment, outcome: Outcome): void {
    this.#forget(shipment)
    try {
      shipment.delivery.settle(outcome)
    } catch (err) {
      // Nobody is above to catch it, and the others must not suffer.
      this.#options.ctx.log.error({ err }, 'whoever handed a batch on threw at its outcome: a defect of it')
    }
    this.#pump()
    if (this.#held.size === 0) this.#whenEmpty?.()
  }

  #forget(shipment: Shipment): void {
    shipment.settled = true
    shipment.wait?.cancel()
    shipment.wait = undefined
    if (shipment.place !== undefined) this.#line.leave(shipment.place)
    shipment.place = undefined
    if (shipment.busy) this.#busy--
    this.#held.delete(shipment)
  }
}

function attemptsOf({ attempts }: Shipment): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`
}
