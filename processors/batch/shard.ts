import type { Delivery } from '../../src/component/delivery.ts'
import type { BatchContext } from '../../src/otlp/batch.ts'

/** Deliveries that will leave together: all of a processor's, or those of one combination of metadata values. */
export class Shard {
  readonly key: string
  readonly metadata: BatchContext['metadata']
  #deliveries: Delivery[] = []
  /** Items held. */
  items = 0
  /** Clock readings of the first and the last arrival among what is held. */
  oldest = 0
  newest = 0
  /** Held deliveries whose sender waits. */
  waiting = 0
  /** Deliveries handed on whose sender still waits. */
  away = 0

  constructor(key: string, metadata: BatchContext['metadata']) {
    this.key = key
    this.metadata = metadata
  }

  get empty(): boolean {
    return this.#deliveries.length === 0
  }

  add(delivery: Delivery, now: number): void {
    if (this.#deliveries.length === 0) this.oldest = now
    this.newest = now
    this.#deliveries.push(delivery)
    this.items += delivery.batch.items
    if (delivery.awaited) this.waiting++
  }

  /**
   * Takes deliveries from the front, as many as have at most `maxItems` items together, but at least one. What stays
   * counts as having come at `now`.
   */
  take(maxItems: number, now: number): Delivery[] {
    let count = 0
    let items = 0
    for (const { batch } of this.#deliveries) {
      if (count > 0 && items + batch.items > maxItems) break
      items += batch.items
      count++
    }
    const all = this.#deliveries
    const taken = count === all.length ? all : all.slice(0, count)
    this.#deliveries = count === all.length ? [] : all.slice(count)
    this.items -= items
    this.waiting = 0
    for (const delivery of this.#deliveries) if (delivery.awaited) this.waiting++
    this.oldest = now
    return taken
  }
}
