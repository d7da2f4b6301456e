import type { Clock, Timer } from '../clock.ts'
import { cutDelivery } from '../component/cut-delivery.ts'
import { apart, type Delivery, merge } from '../component/delivery.ts'
import { type BatchContext, joinBatches } from '../otlp/batch.ts'
import type { SplitLimits } from '../otlp/split.ts'
import { WireError } from '../otlp/wire-error.ts'
import { sizeOf } from './room.ts'

export interface JoinerSettings {
  readonly flushMs: number
  readonly minSize: number
  /** `Infinity` for no limit. */
  readonly maxSize: number
  readonly sizer: 'items' | 'bytes'
  /** Lower case. */
  readonly metadataKeys: readonly string[]
}

export interface JoinerEvents {
  /** A joined delivery leaves. */
  leaves(delivery: Delivery): void
  /** Nobody waits any more for a delivery that has not left. */
  abandoned(delivery: Delivery): void
}

/** What will leave together. */
interface Pile {
  readonly metadata: BatchContext['metadata']
  readonly deliveries: Delivery[]
  size: number
  readonly due: number
}

/**
 * Joins the deliveries in a queue: requests laid end to end are the request of all of them. What is joined leaves when it
 * is large enough or old enough. Where metadata keys are given, only deliveries with the same values of them are joined.
 */
export class Joiner {
  readonly #settings: JoinerSettings
  readonly #clock: Clock
  readonly #events: JoinerEvents
  /** By metadata values, the oldest first: one timer serves all. */
  readonly #piles = new Map<string, Pile>()
  #timer: Timer | undefined

  constructor(settings: JoinerSettings, clock: Clock, events: JoinerEvents) {
    this.#settings = settings
    this.#clock = clock
    this.#events = events
  }

  add(delivery: Delivery): void {
    const parts = this.#parts(delivery)
    if (parts === undefined) {
      // Its bytes are not OTLP: the peer will say so, of it alone.
      this.#events.leaves(delivery)
      return
    }
    for (const part of parts) {
      // Profiles refer to tables of their own request, so two requests laid end to end are not one.
      if (part.batch.signal === 'profiles') this.#events.leaves(part)
      else this.#pile(part)
    }
  }

  /** Everything leaves. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const [key, pile] of this.#piles) this.#send(key, pile)
  }

  /** Undefined where it cannot be read. */
  #parts(delivery: Delivery): readonly Delivery[] | undefined {
    const { maxSize, sizer } = this.#settings
    if (!Number.isFinite(maxSize)) return [delivery]
    const limits: SplitLimits = sizer === 'items' ? { maxItems: maxSize } : { maxBytes: maxSize }
    try {
      return cutDelivery(delivery, limits, apart)
    } catch (error) {
      if (error instanceof WireError) return undefined
      throw error
    }
  }

  #pile(delivery: Delivery): void {
    const { minSize, maxSize, sizer, flushMs, metadataKeys } = this.#settings
    const { batch } = delivery
    const metadata = pick(batch.context.metadata, metadataKeys)
    const key = metadata === undefined ? '' : JSON.stringify(metadataKeys.map((name) => metadata[name] ?? null))
    const size = sizeOf(batch, sizer)
    let pile = this.#piles.get(key)
    if (pile !== undefined && pile.size + size > maxSize) {
      this.#send(key, pile)
      pile = undefined
    }
    if (pile === undefined) {
      pile = { metadata, deliveries: [], size: 0, due: this.#clock.monotonic() + flushMs }
      this.#piles.set(key, pile)
    }
    pile.deliveries.push(delivery)
    pile.size += size
    if (pile.size >= minSize || pile.size >= maxSize) this.#send(key, pile)
    else this.#arm()
  }

  /** Sets the timer for the oldest pile. It may find nothing due, where that pile has left meanwhile, and is set anew. */
  #arm(): void {
    if (this.#timer !== undefined) return
    for (const { due } of this.#piles.values()) {
      this.#timer = this.#clock.setTimeout(() => this.#flushDue(), due - this.#clock.monotonic())
      return
    }
  }

  #flushDue(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const [key, pile] of this.#piles) {
      if (pile.due > now) break
      this.#send(key, pile)
    }
    this.#arm()
  }

  #send(key: string, pile: Pile): void {
    this.#piles.delete(key)
    const wanted: Delivery[] = []
    for (const delivery of pile.deliveries) {
      if (delivery.abandoned) this.#events.abandoned(delivery)
      else wanted.push(delivery)
    }
    if (wanted.length === 1) this.#events.leaves(wanted[0]!)
    else if (wanted.length > 1) this.#events.leaves(join(wanted, pile.metadata))
  }
}

function pick(
  metadata: BatchContext['metadata'],
  keys: readonly string[],
): Record<string, readonly string[]> | undefined {
  if (keys.length === 0) return undefined
  const picked: Record<string, readonly string[]> = {}
  for (const key of keys) {
    const values = metadata?.[key]
    if (values !== undefined) picked[key] = values
  }
  return picked
}

function join(parents: readonly Delivery[], metadata: BatchContext['metadata']): Delivery {
  const batches = parents.map(({ batch }) => batch)
  return merge(parents, joinBatches(batches, metadata))
}
