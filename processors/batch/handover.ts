import type { Clock, Timer } from '../../src/clock.ts'
import { type Consumer, deliver, type Failure, type Outcome, type Waiting } from '../../src/component/delivery.ts'
import { arenas } from '../../src/otlp/arena.ts'
import type { Batch } from '../../src/otlp/batch.ts'

/** A queue that was full a moment ago: long enough to send a batch, short enough that nobody waits for us. */
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1000
/**
 * Where a branch behind has taken the batch and another had no room, offering it again doubles it on the first: so the
 * first wait is the Collector's own, and the others grow.
 */
const PARTLY_TAKEN_RETRY_MS = 5000
const LONGEST_PARTLY_TAKEN_RETRY_MS = 300_000

/**
 * Who does not say whether there is room, a queue that lets senders wait or an exporter without a queue beside one with,
 * gets this many acknowledged batches: as many as an exporter sends at a time.
 */
const MOST_UNANSWERED = 10

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
  /** A branch has taken a batch that is kept for another. */
  partlyTaken(): void
}

/** A parcel that is offered again, and when. */
interface Kept {
  readonly parcel: Parcel
  readonly due: number
  /** A branch has taken it. */
  readonly partly: boolean
}

/**
 * Hands joined batches on, and keeps those that were acknowledged and found no room, to offer them again. While any is
 * kept, or too many are with somebody who does not say whether there is room, nothing new should be given: `blocked` says
 * so.
 */
export class Handover {
  readonly #next: Consumer
  readonly #clock: Clock
  readonly #events: HandoverEvents
  /** In the order in which they are offered again. */
  #kept: Kept[] = []
  /** Acknowledged parcels that were handed on and are neither admitted, refused nor settled. */
  #unanswered = 0
  #timer: Timer | undefined
  #timerDue = Number.POSITIVE_INFINITY
  #retryMs = FIRST_RETRY_MS
  #partlyRetryMs = PARTLY_TAKEN_RETRY_MS
  #draining = false
  #closed = false

  constructor(next: Consumer, clock: Clock, events: HandoverEvents) {
    this.#next = next
    this.#clock = clock
    this.#events = events
  }

  get blocked(): boolean {
    return this.#kept.length > 0 || (this.#unanswered >= MOST_UNANSWERED && !this.#draining)
  }

  /**
   * Whether somebody behind takes data while somebody else has no room, for as long as what is kept waits for the latter.
   * Whoever has room should not wait with it.
   */
  get partly(): boolean {
    return this.#kept.some(({ partly }) => partly)
  }

  /** A stop has begun: those who do not answer before they are stopped themselves hold nothing up. */
  drain(): void {
    this.#draining = true
    this.#partlyRetryMs = PARTLY_TAKEN_RETRY_MS
    this.#bringForward(PARTLY_TAKEN_RETRY_MS)
  }

  give(parcel: Parcel): void {
    let admitted = false
    let superseded = false
    // Before `consume` returns nobody is behind.
    let answered = false
    let counted = false
    const answer = (): void => {
      answered = true
      if (!counted) return
      counted = false
      const was = this.blocked
      this.#unanswered--
      if (was && !this.blocked) this.#events.freed()
    }
    this.#next.consume(
      deliver(parcel.batch, {
        admitted: () => {
          admitted = true
          this.#retryMs = FIRST_RETRY_MS
          this.#partlyRetryMs = PARTLY_TAKEN_RETRY_MS
          parcel.admitted()
          answer()
          // All behind have taken something that is not kept: what is kept need not wait any longer.
          if (!parcel.keep && this.partly) this.#bringForward(0)
        },
        refused: (failure) => {
          if (this.#keeps(parcel, failure)) {
            superseded = true
            // The branch that took it may need the bytes for longer than it takes the next offer to be settled.
            arenas.retainAll(parcel.batch.chunks)
            this.#keep(parcel, this.#partlyRetryMs, true)
            this.#events.partlyTaken()
          } else {
            parcel.refused(failure)
          }
          answer()
        },
        settled: (outcome) => {
          if (superseded) {
            arenas.releaseAll(parcel.batch.chunks)
            if (!outcome.ok) this.#events.takenBack(parcel.batch, outcome.failure)
          } else if (!outcome.ok && !admitted && this.#keeps(parcel, outcome.failure)) {
            this.#events.takenBack(parcel.batch, outcome.failure)
            this.#keep(parcel, this.#retryMs, false)
          } else {
            parcel.settled(outcome)
          }
          answer()
        },
        waiting: parcel.waiting,
      }),
    )
    if (parcel.keep && !answered) {
      counted = true
      this.#unanswered++
    }
  }

  /** Keeps nothing from now on; what was kept is the caller's to settle. */
  close(): Parcel[] {
    this.#closed = true
    this.#timer?.cancel()
    return this.#kept.splice(0).map(({ parcel }) => parcel)
  }

  #keeps(parcel: Parcel, failure: Failure): boolean {
    return parcel.keep && failure.verdict === 'retry' && !this.#closed
  }

  #keep(parcel: Parcel, ms: number, partly: boolean): void {
    const due = this.#clock.monotonic() + ms
    this.#kept.push({ parcel, due, partly })
    this.#arm(due)
  }

  /** What is kept is offered again in `ms`, if not before. */
  #bringForward(ms: number): void {
    const latest = this.#clock.monotonic() + ms
    this.#kept = this.#kept.map((kept) => ({ ...kept, due: Math.min(kept.due, latest) }))
    if (this.#kept.length > 0) this.#arm(latest)
  }

  #arm(due: number): void {
    if (due >= this.#timerDue) return
    this.#timer?.cancel()
    this.#timerDue = due
    this.#timer = this.#clock.setTimeout(() => this.#offerAgain(), due - this.#clock.monotonic())
  }

  /** Offers those that are due, in order, until one is refused again. */
  #offerAgain(): void {
    this.#timerDue = Number.POSITIVE_INFINITY
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
    this.#partlyRetryMs = Math.min(this.#partlyRetryMs * 2, LONGEST_PARTLY_TAKEN_RETRY_MS)
    const now = this.#clock.monotonic()
    const later: Kept[] = []
    const due: Kept[] = []
    for (const kept of this.#kept) (kept.due <= now ? due : later).push(kept)
    this.#kept = []
    for (const kept of due) {
      const refused = this.#kept.at(-1)
      // The others would be refused too: they wait with the first.
      if (refused !== undefined) this.#kept.push({ ...kept, due: refused.due })
      else this.give(kept.parcel)
    }
    this.#kept.push(...later)
    for (const kept of this.#kept) this.#arm(kept.due)
    if (!this.blocked) this.#events.freed()
  }
}
