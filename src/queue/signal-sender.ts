import type { Arriving, Refusing } from '../component/back-pressure.ts'
import type { ComponentContext, Deadline } from '../component/contracts.ts'
import { ack, type Delivery, deliver, type Failure, nack } from '../component/delivery.ts'
import type { Batch, Signal } from '../otlp/batch.ts'
import { Courier } from './courier.ts'
import type { ExportLog } from './export-log.ts'
import { clientGone, failureOf } from './failure.ts'
import { batchSizer, type QueueConfig, type RetryConfig } from './fields.ts'
import { Joiner } from './joiner.ts'
import { Line, type Place } from './line.ts'
import { type ExporterMetrics, exporterMetrics } from './metrics.ts'
import { QueueShare } from './queue-share.ts'
import { Room } from './room.ts'
import type { Send } from './send.ts'

/** A delivery that waits for room. */
interface Blocked {
  readonly delivery: Delivery
  /** Until it is let in or gives up. */
  place: Place<Blocked> | undefined
}

/** What senders are asked to wait when the queue is full: about the time a busy exporter needs to make room. */
const FULL_RETRY_AFTER_MS = 1000

/** A stop is no event of the queue. */
const NOBODY_COUNTS = (): void => {}

export interface SignalSenderOptions {
  readonly ctx: ComponentContext
  readonly queue: QueueConfig
  readonly retry: RetryConfig
  readonly timeoutMs: number
  readonly maxRequestBytes: number
  readonly send: Send
  readonly log: ExportLog
}

/**
 * The batches of one signal that an exporter holds. As in the Collector every signal has its own queue, so that slow logs
 * do not hold up traces, and what is being sent counts as held.
 *
 * ```
 * consume ─ room? ─▶ (joined) ─▶ courier ─▶ settled
 *             │ ▲
 *             │ └ blocked, in the order of arrival
 *             ▼
 *          nack retry
 * ```
 */
export class SignalSender {
  readonly #options: SignalSenderOptions
  readonly #metrics: ExporterMetrics
  readonly #courier: Courier
  readonly #joiner: Joiner | undefined
  readonly #room: Room | undefined
  /** Deliveries that have a place in the queue. */
  #entered = 0
  readonly #blocked = new Line<Blocked>()
  /** What was said last of a full queue, for as long as it is true: there may be thousands to say it to in a second. */
  #full: { readonly changes: number; readonly inFlight: number; readonly refusing: Refusing } | undefined
  #lettingIn = false
  #closing = false
  #stopping = false

  constructor(signal: Signal, options: SignalSenderOptions) {
    const { ctx, queue } = options
    this.#options = options
    const metrics = exporterMetrics(ctx.meter, ctx.id, signal)
    this.#metrics = metrics
    this.#room = queue.enabled
      ? new Room(queue, metrics, new QueueShare(ctx, signal, queue.sizer === 'bytes'))
      : undefined
    const consumers = queue.enabled ? queue.num_consumers : Number.POSITIVE_INFINITY
    this.#courier = new Courier({ ...options, metrics, consumers })
    this.#joiner = this.#makeJoiner()
  }

  /** Batches that are not settled. */
  get held(): number {
    return this.#room === undefined ? this.#courier.held : this.#entered
  }

  consume(delivery: Delivery): void {
    if (this.#stopping) {
      this.#refuseAtStop(delivery)
      return
    }
    const room = this.#room
    if (room === undefined) {
      this.#courier.take(delivery)
      return
    }
    const { batch } = delivery
    const { queue } = this.#options
    if (queue.sizer !== 'requests' && room.sizeOf(batch) === 0) {
      // As in the Collector: there is nothing in it.
      ack(delivery)
      return
    }
    const never = room.tooSmallFor(batch)
    if (never !== undefined) {
      this.#metrics.enqueueFailed.add(batch.items)
      this.#options.log.refused(batch.items, never)
      nack(delivery, failureOf(this.#options.ctx.id, 'reject', 'larger_than_queue', never))
    } else if (this.#blocked.length === 0 && room.has(batch)) {
      this.#enter(room, delivery)
    } else if (queue.block_on_overflow) {
      this.#block(room, delivery)
    } else {
      this.#refuse(room, delivery)
    }
  }

  /** Not for queues that let senders wait. */
  refusing(arriving: Arriving): Refusing | undefined {
    if (this.#stopping) return { failure: this.#stopFailure(), stalled: false, told: NOBODY_COUNTS }
    const room = this.#room
    if (room === undefined || room.hasFor(arriving)) return undefined
    const { inFlight, advancing } = this.#courier
    let full = this.#full
    if (full?.changes !== room.changes || full.inFlight !== inFlight || full.refusing.stalled === advancing) {
      const cause = this.#fullness(room)
      const told = (): void => this.#options.log.refused(0, cause)
      const refusing = { failure: this.#fullFailure(cause), stalled: !advancing, told }
      full = { changes: room.changes, inFlight, refusing }
      this.#full = full
    }
    return full.refusing
  }

  /** A stop is near: senders that wait for room, or for the next attempt, need not wait for the stop itself. */
  stopping(): void {
    this.#closing = true
    this.#endWaits((delivery) => delivery.awaited)
    this.#courier.stopping()
  }

  /** Senders that wait for room are sent away; what is held is sent, or settled `stopping` at the deadline. */
  async stop(deadline: Deadline): Promise<void> {
    this.#stopping = true
    this.#endWaits(() => true)
    this.#joiner?.flush()
    await this.#courier.stop(deadline)
  }

  #endWaits(which: (delivery: Delivery) => boolean): void {
    for (let left = this.#blocked.length; left > 0; left--) {
      const blocked = this.#blocked.shift()!
      blocked.place = undefined
      const { delivery } = blocked
      if (!which(delivery)) blocked.place = this.#blocked.push(blocked)
      else if (delivery.awaited || this.#room === undefined) this.#refuseAtStop(delivery)
      // Whoever handed it on has acknowledged it and cannot take it back: it gets its attempt beyond the room there is.
      else this.#enter(this.#room, delivery)
    }
    this.#metrics.blocked.set(this.#blocked.length)
  }

  #makeJoiner(): Joiner | undefined {
    const { ctx, queue } = this.#options
    const { batch } = queue
    if (!queue.enabled || batch === undefined || !batch.enabled) return undefined
    return new Joiner(
      {
        flushMs: batch.flush_timeout,
        minSize: batch.min_size,
        maxSize: batch.max_size || Number.POSITIVE_INFINITY,
        sizer: batchSizer(queue, batch),
        metadataKeys: batch.partition.metadata_keys.map((key) => key.toLowerCase()),
      },
      ctx.clock,
      {
        leaves: (delivery) => this.#courier.take(delivery),
        abandoned: (delivery) => this.#goneWhileJoining(delivery),
      },
    )
  }

  #enter(room: Room, delivery: Delivery): void {
    const { batch } = delivery
    const { queue } = this.#options
    room.take(batch)
    this.#entered++
    this.#metrics.enqueueSize.record(batch.items)
    this.#metrics.enqueueBytes.record(batch.byteLength)
    if (!queue.wait_for_result) delivery.admit()
    const inside = deliver(batch, {
      admitted: () => delivery.admit(),
      refused: (failure) => delivery.refuse(failure),
      settled: (outcome) => {
        room.give(batch)
        this.#entered--
        try {
          delivery.settle(outcome)
        } finally {
          this.#letIn(room)
        }
      },
      waiting: delivery,
    })
    if (this.#joiner === undefined) this.#courier.take(inside)
    else this.#joiner.add(inside)
  }

  /** Neither admitted nor refused: whoever sent it waits, as long as it likes to. */
  #block(room: Room, delivery: Delivery): void {
    if (this.#closing && delivery.awaited) {
      this.#refuseAtStop(delivery)
      return
    }
    this.#options.log.blocked(delivery.batch.items, this.#fullness(room, delivery.batch))
    const blocked: Blocked = { delivery, place: undefined }
    blocked.place = this.#blocked.push(blocked)
    this.#metrics.blocked.set(this.#blocked.length)
    delivery.onAbandoned(() => {
      if (blocked.place === undefined) return
      this.#blocked.leave(blocked.place)
      blocked.place = undefined
      this.#metrics.blocked.set(this.#blocked.length)
      this.#metrics.enqueueFailed.add(delivery.batch.items)
      this.#clientGone(delivery, 'the sender gave up while the queue was full')
      // A smaller one behind it may fit.
      this.#letIn(room)
    })
  }

  #letIn(room: Room): void {
    if (this.#lettingIn || this.#blocked.length === 0) return
    this.#lettingIn = true
    for (
      let next = this.#blocked.first;
      next !== undefined && room.has(next.delivery.batch);
      next = this.#blocked.first
    ) {
      this.#blocked.shift()
      next.place = undefined
      this.#enter(room, next.delivery)
    }
    this.#lettingIn = false
    this.#metrics.blocked.set(this.#blocked.length)
  }

  #refuse(room: Room, delivery: Delivery): void {
    const { items } = delivery.batch
    const cause = this.#fullness(room, delivery.batch)
    this.#metrics.enqueueFailed.add(items)
    this.#options.log.refused(items, cause)
    nack(delivery, this.#fullFailure(cause))
  }

  #fullFailure(cause: string): Failure {
    return { ...failureOf(this.#options.ctx.id, 'retry', 'queue_full', cause), retryAfterMs: FULL_RETRY_AFTER_MS }
  }

  #fullness(room: Room, batch?: Batch): string {
    const { full, key } = room.describe(batch)
    return `the queue is full (${full}, ${this.#courier.inFlight} in flight); see why the peer is slow, or raise sending_queue.${key}`
  }

  #refuseAtStop(delivery: Delivery): void {
    nack(delivery, this.#stopFailure())
  }

  #stopFailure(): Failure {
    return failureOf(this.#options.ctx.id, 'stopping', 'stopping', 'is stopping; send to another instance')
  }

  #goneWhileJoining(delivery: Delivery): void {
    this.#metrics.sendFailed(delivery.batch.items, 'Canceled', false)
    this.#clientGone(delivery, 'the sender gave up while its data waited to be joined')
  }

  #clientGone(delivery: Delivery, text: string): void {
    nack(delivery, clientGone(this.#options.ctx.id, text))
  }
}
