import type { Timer } from '../../src/clock.ts'
import type { Arriving, Refusing } from '../../src/component/back-pressure.ts'
import type { Component, ComponentContext, Deadline } from '../../src/component/contracts.ts'
import { cutDelivery } from '../../src/component/cut-delivery.ts'
import {
  type Acknowledgement,
  type Consumer,
  type Delivery,
  type Failure,
  nack,
  settleAll,
  together,
} from '../../src/component/delivery.ts'
import { type Batch, joinBatches } from '../../src/otlp/batch.ts'
import { GRPC } from '../../src/transport/unary.ts'
import { Handover } from './handover.ts'
import { type BatchMetrics, batchMetrics } from './metrics.ts'
import { Shard } from './shard.ts'

/**
 * While senders wait, a batch that nothing joined for this long leaves: senders that keep several requests in flight come
 * again within a round trip, which on one host or in one zone is below it.
 */
const IDLE_MS = 5

/** Batches that an average goes back, about. */
const AVERAGED_OVER = 16

/** What made a batch leave. */
type Why = 'size' | 'timeout' | 'early' | 'stop'

export interface BatchSettings {
  /** 0: at once. */
  readonly timeoutMs: number
  /** 0: at once. */
  readonly triggerItems: number
  /** `Infinity`: no limit. */
  readonly maxItems: number
  /** Lower case. */
  readonly metadataKeys: readonly string[]
  readonly maxShards: number
}

/**
 * Joins batches, under one of two regimes:
 *
 * - A queue in memory is behind (`next` acknowledges `admitted`): this processor answers for what it holds, admits on
 *   arrival, and only size and time decide when a batch leaves. What it admitted it offers until it is taken.
 * - Else senders wait for what is behind, so a batch leaves early: when every sender that waits has its data in it, or
 *   when nothing new came for `IDLE_MS`. Deliveries that nobody awaits leave by size and time here too.
 */
export class BatchProcessor implements Component, Consumer {
  readonly #settings: BatchSettings
  readonly #ctx: ComponentContext
  readonly #next: Consumer
  readonly #metrics: BatchMetrics
  readonly #handover: Handover
  readonly #shards = new Map<string, Shard>()
  /** One for all shards; it may fire before anything is due, and then sets itself anew. */
  #timer: Timer | undefined
  #timerDue = Number.POSITIVE_INFINITY
  /** Shards to look at once the sockets that are ready now have been read. */
  readonly #early = new Set<Shard>()
  #earlyCheck: NodeJS.Immediate | undefined
  #releasing = false
  /** About what an item of the last batches takes. */
  #itemBytes = Number.POSITIVE_INFINITY
  #stopping = false
  #stopped: Promise<void> | undefined
  #whenFree: (() => void) | undefined

  constructor(settings: BatchSettings, ctx: ComponentContext, next: Consumer) {
    this.#settings = settings
    this.#ctx = ctx
    this.#next = next
    this.#metrics = batchMetrics(ctx, settings.metadataKeys.length > 0)
    this.#handover = new Handover(next, ctx.clock, {
      takenBack: (batch, failure) => this.#ctx.ledger?.failed(batch.signal, failure.reason, -batch.items),
      freed: () => this.#freed(),
      partlyTaken: () => this.#releaseHeld(),
    })
  }

  get acknowledges(): Acknowledgement {
    return this.#next.acknowledges
  }

  consume(delivery: Delivery): void {
    const { batch } = delivery
    if (this.#stopping) {
      this.#refuse(delivery, 'stopping', 'stopping', 'is stopping; send to another instance')
      return
    }
    const shard = this.#shardOf(batch)
    if (shard === undefined) {
      // The Collector refuses for good here, and never forgets a combination. Ours are let go when they hold nothing, so
      // there may be room soon.
      const limit = `metadata_cardinality_limit (${this.#settings.maxShards})`
      this.#refuse(
        delivery,
        'retry',
        'metadata_cardinality',
        `already holds data of ${limit} combinations of metadata values`,
      )
      return
    }
    if (this.#leavesAtOnce(batch)) {
      for (const part of this.#cut(delivery)) this.#send(shard, [part], 'size', false)
      this.#forget(shard)
      return
    }
    if (this.#next.acknowledges === 'admitted') {
      if (this.#handover.partly) {
        // One exporter's queue is full, and another has room: it gets its data, and the sender is told what the first says.
        for (const part of this.#cut(delivery)) this.#send(shard, [part], 'early', false)
        this.#forget(shard)
        return
      }
      this.#measure(batch)
      const room = this.#settings.triggerItems
      if (this.#handover.blocked && shard.items >= room) {
        this.#refuse(delivery, 'retry', 'queue_full', noRoom(shard.items))
        return
      }
      const parts = this.#cut(delivery)
      delivery.admit()
      this.#hold(shard, parts)
    } else {
      this.#hold(shard, this.#cut(delivery))
      this.#checkEarly(shard)
    }
  }

  /** Whether `consume` would refuse, as far as that does not hang on the metadata. */
  refusing(arriving: Arriving): Refusing | undefined {
    const { metadataKeys, triggerItems } = this.#settings
    const behind = this.#next.refusing?.(arriving)
    const { blocked, partly } = this.#handover
    if (this.#next.acknowledges !== 'admitted' || partly || this.#settings.timeoutMs === 0 || triggerItems === 0) {
      return behind
    }
    if ((!blocked && behind === undefined) || metadataKeys.length > 0) return undefined
    const items = this.#shards.get('')?.items ?? 0
    if (items + arriving.aheadBytes / this.#itemBytes < triggerItems) return undefined
    return {
      failure: this.#failure('retry', 'queue_full', noRoom(items)),
      stalled: behind?.stalled ?? false,
      told: () => behind?.told(),
    }
  }

  /**
   * Hands on what is held. Resolves when nothing is held here any more: what was handed on is settled by whoever has it,
   * and exporters are stopped after us, with what is left of the same deadline.
   */
  stop(deadline: Deadline): Promise<void> {
    this.#stopped ??= this.#drain(deadline)
    return this.#stopped
  }

  async #drain(deadline: Deadline): Promise<void> {
    this.#stopping = true
    this.#timer?.cancel()
    clearImmediate(this.#earlyCheck)
    this.#handover.drain()
    this.#flushAll()
    if (this.#handover.blocked && !deadline.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#whenFree = resolve
        deadline.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    const why = 'stopped before what is behind had room'
    for (const parcel of this.#handover.close()) {
      const { signal, items } = parcel.batch
      this.#ctx.ledger?.failed(signal, 'stopping', items)
      parcel.settled({ ok: false, failure: this.#failure('stopping', 'stopping', why) })
    }
    for (const shard of this.#shards.values()) {
      while (!shard.empty) {
        for (const delivery of shard.take(Number.POSITIVE_INFINITY, 0))
          this.#refuse(delivery, 'stopping', 'stopping', why)
      }
    }
    this.#shards.clear()
  }

  #measure({ byteLength, items }: Batch): void {
    if (items === 0) return
    const bytes = byteLength / items
    const known = Number.isFinite(this.#itemBytes)
    this.#itemBytes = Math.max(1, known ? this.#itemBytes + (bytes - this.#itemBytes) / AVERAGED_OVER : bytes)
  }

  /** Profiles refer to tables of their own request, so two requests laid end to end are not one. */
  #leavesAtOnce(batch: Batch): boolean {
    return batch.signal === 'profiles' || this.#settings.timeoutMs === 0 || this.#settings.triggerItems === 0
  }

  #cut(delivery: Delivery): readonly Delivery[] {
    const { batch } = delivery
    if (batch.signal === 'profiles') return [delivery]
    return cutDelivery(delivery, { maxItems: this.#settings.maxItems })
  }

  #hold(shard: Shard, parts: readonly Delivery[]): void {
    const now = this.#ctx.clock.monotonic()
    for (const part of parts) shard.add(part, now)
    this.#sendFull(shard)
    if (!shard.empty) this.#arm(this.#due(shard))
  }

  #sendFull(shard: Shard): void {
    while (shard.items >= this.#settings.triggerItems && !this.#handover.blocked) {
      this.#send(shard, shard.take(this.#settings.maxItems, this.#ctx.clock.monotonic()), 'size')
    }
  }

  /** Sends all that a shard holds, as far as what is behind takes it. */
  #flush(shard: Shard, why: Exclude<Why, 'size'>): void {
    while (!shard.empty && !this.#handover.blocked) {
      this.#send(shard, shard.take(this.#settings.maxItems, this.#ctx.clock.monotonic()), why)
    }
    this.#forget(shard)
  }

  /** What is held goes the way of what was given: some behind takes it, and it is kept for the others. */
  #releaseHeld(): void {
    if (this.#releasing) return
    this.#releasing = true
    for (const shard of this.#shards.values()) {
      while (!shard.empty) this.#send(shard, shard.take(this.#settings.maxItems, this.#ctx.clock.monotonic()), 'early')
      this.#forget(shard)
    }
    this.#releasing = false
  }

  #flushAll(): void {
    for (const shard of this.#shards.values()) this.#flush(shard, 'stop')
  }

  /** `promised`: its senders were told that their data is safe, where a queue in memory is behind. */
  #send(shard: Shard, taken: readonly Delivery[], why: Why, promised = true): void {
    const parts = this.#stillWanted(taken)
    if (parts.length === 0) return
    const batch = joinBatches(
      parts.map((part) => part.batch),
      shard.metadata,
    )
    this.#metrics.sent(batch.items, batch.byteLength, why)
    let waiting = 0
    for (const part of parts) if (part.awaited) waiting++
    shard.away += waiting
    const answered = (): void => {
      if (waiting === 0) return
      shard.away -= waiting
      waiting = 0
      this.#checkEarly(shard)
      this.#forget(shard)
    }
    this.#handover.give({
      batch,
      keep: promised && this.#next.acknowledges === 'admitted',
      waiting: together(parts),
      admitted() {
        for (const part of parts) part.admit()
        answered()
      },
      refused(failure) {
        for (const part of parts) part.refuse(failure)
        answered()
      },
      settled(outcome) {
        // Whose items a partial success refused cannot be known: the pipeline's end has booked the count.
        settleAll(parts, outcome)
        answered()
      },
    })
  }

  /** Without those whose senders have given up waiting: nobody has told them that their data is safe. */
  #stillWanted(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (!deliveries.some(({ abandoned }) => abandoned)) return deliveries
    return deliveries.filter((delivery) => {
      if (!delivery.abandoned) return true
      this.#ctx.ledger?.failed(delivery.batch.signal, 'client_gone', delivery.batch.items)
      const failure = this.#failure('retry', 'client_gone', 'the sender gave up before its data left')
      nack(delivery, { ...failure, grpcStatus: GRPC.DEADLINE_EXCEEDED })
      return false
    })
  }

  #freed(): void {
    if (this.#stopping) {
      this.#flushAll()
      if (!this.#handover.blocked) this.#whenFree?.()
      return
    }
    for (const shard of this.#shards.values()) this.#sendFull(shard)
    this.#flushDue()
  }

  #due(shard: Shard): number {
    const latest = shard.oldest + this.#settings.timeoutMs
    return shard.waiting > 0 && this.#next.acknowledges !== 'admitted'
      ? Math.min(latest, shard.newest + IDLE_MS)
      : latest
  }

  #arm(due: number): void {
    if (due >= this.#timerDue) return
    this.#timer?.cancel()
    this.#timerDue = due
    this.#timer = this.#ctx.clock.setTimeout(() => {
      this.#timerDue = Number.POSITIVE_INFINITY
      this.#flushDue()
    }, due - this.#ctx.clock.monotonic())
  }

  #flushDue(): void {
    const now = this.#ctx.clock.monotonic()
    for (const shard of this.#shards.values()) {
      if (shard.empty) continue
      const due = this.#due(shard)
      if (due > now) this.#arm(due)
      else this.#flush(shard, shard.oldest + this.#settings.timeoutMs <= now ? 'timeout' : 'early')
    }
  }

  /**
   * Sends what a shard holds when every sender that waits has its data in it. Looked at after the sockets that are ready
   * now have been read: requests that arrived together leave together, and a sender with one request in flight does not
   * wait for a timer, whose shortest time is longer than a round trip.
   */
  #checkEarly(shard: Shard): void {
    if (shard.waiting === 0 || shard.away > 0 || this.#stopping) return
    this.#early.add(shard)
    this.#earlyCheck ??= setImmediate(() => {
      this.#earlyCheck = undefined
      const shards = [...this.#early]
      this.#early.clear()
      for (const each of shards) if (each.waiting > 0 && each.away === 0) this.#flush(each, 'early')
    })
  }

  #shardOf(batch: Batch): Shard | undefined {
    const keys = this.#settings.metadataKeys
    const metadata: Record<string, readonly string[]> = {}
    // An absent key and one without values are different combinations.
    const values = keys.map((key) => {
      const value = batch.context.metadata?.[key]
      if (value !== undefined) metadata[key] = value
      return value ?? null
    })
    const id = keys.length === 0 ? '' : JSON.stringify(values)
    let shard = this.#shards.get(id)
    if (shard === undefined) {
      if (this.#shards.size >= this.#settings.maxShards && keys.length > 0) return undefined
      shard = new Shard(id, keys.length === 0 ? undefined : metadata)
      this.#shards.set(id, shard)
      this.#metrics.shards(this.#shards.size)
    }
    return shard
  }

  /** Lets a combination of metadata values go that holds nothing: they come from outside and would grow without end. */
  #forget(shard: Shard): void {
    if (this.#settings.metadataKeys.length === 0 || !shard.empty || shard.away > 0) return
    if (this.#shards.get(shard.key) !== shard) return
    this.#shards.delete(shard.key)
    this.#metrics.shards(this.#shards.size)
  }

  #refuse(delivery: Delivery, verdict: Failure['verdict'], reason: string, text: string): void {
    this.#ctx.ledger?.failed(delivery.batch.signal, reason, delivery.batch.items)
    nack(delivery, this.#failure(verdict, reason, text))
  }

  #failure(verdict: Failure['verdict'], reason: string, text: string): Failure {
    return { verdict, reason, message: `processor ${this.#ctx.id}: ${text}` }
  }
}

function noRoom(items: number): string {
  return `what is behind has no room and ${items} items are held`
}
