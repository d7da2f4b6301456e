import type { Clock, Timer } from '../../src/clock.ts'
import { type Consumer, deliver, type Failure, type Outcome, type Waiting } from '../../src/component/delivery.ts'
import { arenas } from '../../src/otlp/arena.ts'
import type { Batch } from '../../src/otlp/batch.ts'

/** A queue that was full a moment ago: long enough to send a batch, short enough that nobody waits for us. */
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1000
/**
 * Where a branch behind has taken the batch and another had no room, offering it again doubles it on the first: the
 * Collector's own first wait, so that we double no more than a client would.
 */
const PARTLY_TAKEN_RETRY_MS = 5000

/** A joined batch and what its parts want to know of it. */
export interface Parcel {
  readonly batch: Batch
  /** Its parts were acknowledged: nobody upstream has them any more, so a refusal must not end them. */
  readonly keep: boolean
  readonly waiting: Waiting
  admitted(): void
  refused(failure: Failure): void
  settled(outcome: Outcome): void
}

export interface HandoverEvents {
  /** A failure that was booked behind us does not count: the batch is tried again. */
  takenBack(batch: Batch, failure: Failure): void
  /** Nothing is kept any more. */
  freed(): void
}

/**
 * Hands joined batches on, and keeps those that were acknowledged and found no room, to offer them again. While any is
 * kept nothing new should be given: `blocked` says so.
 */
export class Handover {
  readonly #next: Consumer
  readonly #clock: Clock
  readonly #events: HandoverEvents
  /** In the order in which they are offered again. */
  readonly #kept: Parcel[] = []
  #timer: Timer | undefined
  #retryMs = FIRST_RETRY_MS
  #closed = false

  constructor(next: Consumer, clock: Clock, events: HandoverEvents) {
    this.#next = next
    this.#clock = clock
    this.#events = events
  }

  get blocked(): boolean {
    return this.#kept.length > 0
  }

  give(parcel: Parcel): void {
    let admitted = false
    let superseded = false
    this.#next.consume(
      deliver(parcel.batch, {
        admitted: () => {
          admitted = true
          this.#retryMs = FIRST_RETRY_MS
          parcel.admitted()
        },
        refused: (failure) => {
          if (!this.#keeps(parcel, failure)) {
            parcel.refused(failure)
            return
          }
          superseded = true
          // The branch that took it may need the bytes for longer than it takes the next offer to be settled.
          arenas.retainAll(parcel.batch.chunks)
          this.#keep(parcel, PARTLY_TAKEN_RETRY_MS)
        },
        settled: (outcome) => {
          if (superseded) {
            arenas.releaseAll(parcel.batch.chunks)
            if (!outcome.ok) this.#events.takenBack(parcel.batch, outcome.failure)
          } else if (!outcome.ok && !admitted && this.#keeps(parcel, outcome.failure)) {
            this.#events.takenBack(parcel.batch, outcome.failure)
            this.#keep(parcel, this.#retryMs)
          } else {
            parcel.settled(outcome)
          }
        },
        waiting: parcel.waiting,
      }),
    )
  }

  /** Keeps nothing from now on; what was kept is the caller's to settle. */
  close(): Parcel[] {
    this.#closed = true
    this.#timer?.cancel()
    return this.#kept.splice(0)
  }

  #keeps(parcel: Parcel, failure: Failure): boolean {
    return parcel.keep && failure.verdict === 'retry' && !this.#closed
  }

  #keep(parcel: Parcel, ms: number): void {
    this.#kept.push(parcel)
    this.#timer ??= this.#clock.setTimeout(() => this.#offerAgain(), ms)
  }

  #offerAgain(): void {
    this.#timer = undefined
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
    // Those that are refused again stand first, in the same order.
    const again = this.#kept.splice(0)
    for (let parcel = again.shift(); parcel !== undefined; parcel = again.shift()) {
      this.give(parcel)
      if (this.blocked) break
    }
    this.#kept.push(...again)
    if (!this.blocked) this.#events.freed()
  }
}
