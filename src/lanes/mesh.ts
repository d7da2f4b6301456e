import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../clock.ts'
import type { Consumer, Delivery } from '../component/delivery.ts'
import type { Signal } from '../otlp/batch.ts'
import { type Bounds, type Crossed, Link } from './link.ts'
import type { Arrival } from './taken-delivery.ts'

/** Where deliveries from other lanes go in. */
export interface Entrance {
  readonly consumer: Consumer
  /** They come into this lane's books. */
  taken?(signal: Signal, items: number): void
}

export interface Place {
  /** Slot of this lane. */
  readonly lane: number
  /** How many slots there are. */
  readonly lanes: number
  readonly clock: Clock
}

/**
 * This lane's ways to all others. Lanes are made from one configuration, so that every address (`traces`, `processor
 * tail_sampling in traces`) is in each of them. Ways are opened once all that has an address is there.
 */
export class Mesh {
  readonly lane: number
  readonly lanes: number
  readonly #clock: Clock
  readonly #links: (Link | undefined)[]
  readonly #leaving = new Set<number>()
  readonly #entrances = new Map<string, Entrance>()
  readonly #ears = new Map<string, (bytes: Uint8Array, from: number) => void>()
  #closed = false

  constructor({ lane, lanes, clock }: Place) {
    this.lane = lane
    this.lanes = lanes
    this.#clock = clock
    this.#links = Array<Link | undefined>(lanes).fill(undefined)
  }

  /** Whether no lane below this one runs. */
  get first(): boolean {
    for (let lane = 0; lane < this.lane; lane++) if (this.runs(lane)) return false
    return true
  }

  /** The way to `lane`, which runs now; to the lane that was in its slot before there is none any more. */
  connect(lane: number, port: MessagePort): void {
    this.disconnect(lane)
    if (this.#closed) {
      port.close()
      return
    }
    const link: Link = new Link(port, this.#clock, {
      arrived: (address, arrival) => this.#arrived(address, arrival),
      told: (address, bytes) => this.#ears.get(address)?.(bytes, lane),
      closed: () => {
        if (this.#links[lane] === link) this.#links[lane] = undefined
      },
    })
    this.#links[lane] = link
    this.#leaving.delete(lane)
  }

  /** `lane` is about to stop: it gets nothing more, and settles what it has. */
  leaves(lane: number): void {
    this.#leaving.add(lane)
  }

  /** `lane` has ended. */
  disconnect(lane: number): void {
    this.#links[lane]?.gone()
  }

  /** The ways to all others end: what they have of ours is lost to us, and ours to them. */
  close(): void {
    this.#closed = true
    for (const link of this.#links) link?.close()
  }

  /** Deliveries that other lanes have of ours. */
  get unsettled(): number {
    let sum = 0
    for (const link of this.#links) sum += link?.unsettled ?? 0
    return sum
  }

  /** Whether anything can be given to `lane`. */
  runs(lane: number): boolean {
    return this.#links[lane] !== undefined && !this.#leaving.has(lane)
  }

  enter(address: string, entrance: Entrance): void {
    this.#entrances.set(address, entrance)
  }

  listen(address: string, ear: (bytes: Uint8Array, from: number) => void): void {
    this.#ears.set(address, ear)
  }

  /** Whether `lane` runs and has no more than that waiting to be begun with. */
  hasRoom(lane: number, bounds: Bounds): boolean {
    return this.runs(lane) && !this.#links[lane]!.exceeds(bounds)
  }

  /** Hands `delivery` over to a lane that has room; `sole`: its memory may be taken along, see `pack`. */
  give(lane: number, address: string, delivery: Delivery, sole: boolean, books?: Crossed): void {
    const link = this.#links[lane]
    if (link === undefined) throw new Error(`lane ${lane} does not run; ask for room before`)
    link.give(address, delivery, sole, books)
  }

  tell(lane: number, address: string, bytes: Uint8Array): boolean {
    const link = this.#links[lane]
    link?.tell(address, bytes)
    return link !== undefined
  }

  #arrived(address: string, arrival: Arrival): boolean {
    const entrance = this.#entrances.get(address)
    if (entrance === undefined) return false
    const { delivery } = arrival
    const { signal, items } = delivery.batch
    // In this order: a lane that ended between the two would have it in no books, as if it had been lost on its way, and not in two.
    arrival.begun()
    entrance.taken?.(signal, items)
    entrance.consumer.consume(delivery)
    return true
  }
}
