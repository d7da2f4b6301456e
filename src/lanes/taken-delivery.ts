import {
  type Delivery,
  type DeliveryEvents,
  deliver,
  type Failure,
  type Outcome,
  type Waiting,
} from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import type { Batch } from '../otlp/batch.ts'
import { buffersOf, type Memory } from './crossing.ts'

/** A delivery from another lane as it comes in. */
export interface Arrival {
  readonly delivery: Delivery
  /** Called once, next to the entry in this lane's books: from then on the delivery is lost with this lane, not before. */
  begun(): void
}

/** Where answers go. */
export interface Answers {
  admitted(id: number): void
  refused(id: number, failure: Failure): void
  settled(id: number, outcome: Outcome, memory: Memory): void
}

/** The taking side of a delivery that another lane gave: answers travel back, and with the outcome the memory it came in. */
export class TakenDelivery implements DeliveryEvents, Waiting {
  readonly deadline: number
  readonly #id: number
  readonly #memory: Memory
  readonly #answers: Answers
  #awaited: boolean
  #abandoned = false
  #settled = false
  readonly #whenAbandoned: (() => void)[] = []

  constructor(id: number, memory: Memory, awaited: boolean, deadline: number, answers: Answers) {
    this.#id = id
    this.#memory = memory
    this.#awaited = awaited
    this.deadline = deadline
    this.#answers = answers
  }

  delivery(batch: Batch): Delivery {
    return deliver(batch, this)
  }

  get waiting(): Waiting {
    return this
  }

  get awaited(): boolean {
    return this.#awaited
  }

  get abandoned(): boolean {
    return this.#abandoned
  }

  onAbandoned(callback: () => void): void {
    if (this.#abandoned) callback()
    else if (this.#awaited) this.#whenAbandoned.push(callback)
  }

  /** The giver's client has given up. */
  abandon(): void {
    if (!this.#awaited) return
    this.#awaited = false
    this.#abandoned = true
    for (const callback of this.#whenAbandoned.splice(0)) callback()
  }

  /** The giver has ended, and with it whoever waited: its client was told nothing, and sends again. */
  giverGone(): void {
    this.abandon()
  }

  admitted(): void {
    this.#answers.admitted(this.#id)
  }

  refused(failure: Failure): void {
    this.#answers.refused(this.#id, failure)
  }

  settled(outcome: Outcome): void {
    if (this.#settled) return
    this.#settled = true
    const back: ArrayBuffer[] = []
    for (const buffer of buffersOf(this.#memory)) {
      const bytes = new Uint8Array(buffer)
      const arena = arenas.surrender(bytes)
      // A socket that still sends holds it: it stays in this lane.
      if (arena === undefined) arenas.release(bytes)
      else back.push(arena)
    }
    this.#answers.settled(this.#id, outcome, back.length === 1 ? back[0]! : back)
  }
}
