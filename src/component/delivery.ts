import type { Batch } from '../otlp/batch.ts'
import type { Refuses } from './back-pressure.ts'
import { booksOf, Copies, DELIVERED, type Failure, type Outcome, Shares, severityOf, type Tally } from './outcome.ts'

export type { Books, Failure, Outcome, Verdict } from './outcome.ts'
export { booksOf, DELIVERED } from './outcome.ts'

/**
 * Who waits for a delivery, as those further down see it. Whoever has admitted a delivery answers for it, so nobody can
 * abandon it from then on.
 */
export interface Waiting {
  /** True while somebody upstream may be waiting for an answer: neither admitted, refused nor settled, all the way up. */
  readonly awaited: boolean
  /**
   * True once everybody who waited for an answer has given up without one. Nobody starts another attempt then: one that is
   * under way finishes, and the delivery ends as it says or as failed(client_gone).
   */
  readonly abandoned: boolean
  /** The moment at which the last who waits gives up, on `Clock.monotonic`'s scale; `Infinity` where nobody says. */
  readonly deadline: number
  /**
   * Calls back when `abandoned` becomes true, at once where it is, never after an answer or the outcome. It may cost a timer:
   * ask only before a wait.
   */
  onAbandoned(callback: () => void): void
}

/** Whoever waits for any of `deliveries`: abandoned once all are. */
export function together(deliveries: readonly Waiting[]): Waiting {
  return deliveries.length === 1 ? deliveries[0]! : new Together(deliveries)
}

class Together implements Waiting {
  readonly #deliveries: readonly Waiting[]

  constructor(deliveries: readonly Waiting[]) {
    this.#deliveries = deliveries
  }

  get awaited(): boolean {
    return this.#deliveries.some(({ awaited }) => awaited)
  }

  get abandoned(): boolean {
    return this.#deliveries.every(({ abandoned }) => abandoned)
  }

  get deadline(): number {
    let latest = Number.NEGATIVE_INFINITY
    for (const { deadline } of this.#deliveries) if (deadline > latest) latest = deadline
    return latest
  }

  onAbandoned(callback: () => void): void {
    let left = this.#deliveries.length
    for (const delivery of this.#deliveries) {
      delivery.onAbandoned(() => {
        if (--left === 0) callback()
      })
    }
  }
}

/**
 * A batch on its way, with the duty to settle it exactly once.
 *
 * Two signals travel back. *Admission* (`admit` or `refuse`): somebody who answers for the data, a queue, has taken it
 * or part of it was turned away, so a client that waits only for that may be answered. *Outcome* (`settle`): what became
 * of it. Mixing the two loses data.
 */
export interface Delivery extends Waiting {
  readonly batch: Batch
  /** Says that a queue holds the whole batch. Safe to repeat; no effect once answered or settled. */
  admit(): void
  /**
   * Says that the outcome will be a failure although parts of the batch are still on their way, so that nobody waits for
   * those. `settle` still follows. No effect once answered or settled.
   */
  refuse(failure: Failure): void
  /** Ends the delivery. A second call throws: it is a defect of the caller. */
  settle(outcome: Outcome): void
}

/**
 * What an acknowledgement means at some place: `admitted` a queue in memory holds the data, `persisted` a queue on disk
 * does, `delivered` the last peer said yes. Each is stronger than the one before.
 */
export type Acknowledgement = 'admitted' | 'persisted' | 'delivered'

const STRENGTH: Readonly<Record<Acknowledgement, number>> = { admitted: 0, persisted: 1, delivered: 2 }

/** An acknowledgement is worth as much as the weakest of those it stands for; for no consumer, `delivered`. */
export function weakest(consumers: Iterable<Pick<Consumer, 'acknowledges'>>): Acknowledgement {
  let weakest: Acknowledgement = 'delivered'
  for (const { acknowledges } of consumers) if (STRENGTH[acknowledges] < STRENGTH[weakest]) weakest = acknowledges
  return weakest
}

/**
 * Whoever takes deliveries. `consume` never throws and never blocks: refusal is an outcome. The batch's bytes stay as they
 * are until the delivery is settled; who needs them longer copies them or holds them (`arenas.retain`).
 */
export interface Consumer {
  consume(delivery: Delivery): void
  /** What it stands for when this consumer lets a client be answered: the weakest of all that lie behind it. */
  readonly acknowledges: Acknowledgement
  /** Says beforehand what `consume` would refuse, so that nobody reads it for nothing. */
  readonly refusing?: Refuses | undefined
}

/** Ends `delivery` as arrived. */
export function ack(delivery: Delivery): void {
  delivery.settle(DELIVERED)
}

/** Ends `delivery` as failed. */
export function nack(delivery: Delivery, failure: Failure): void {
  delivery.settle({ ok: false, failure })
}

/** At most one of `admitted` and `refused` comes, at most once and never after `settled`. */
export interface DeliveryEvents {
  admitted?(): void
  refused?(failure: Failure): void
  settled(outcome: Outcome): void
  /** Who waits further up; without it, somebody does, for ever. */
  readonly waiting?: Waiting
}

/** The first delivery of a batch: a receiver, or whoever else brings data in, makes it. */
export function deliver(batch: Batch, events: DeliveryEvents): Delivery {
  return new RootDelivery(batch, events)
}

class RootDelivery implements Delivery {
  readonly batch: Batch
  readonly #events: DeliveryEvents
  #answered = false
  #settled = false

  constructor(batch: Batch, events: DeliveryEvents) {
    this.batch = batch
    this.#events = events
  }

  get awaited(): boolean {
    return !this.#answered && !this.#settled && (this.#events.waiting?.awaited ?? true)
  }

  get abandoned(): boolean {
    return !this.#answered && !this.#settled && (this.#events.waiting?.abandoned ?? false)
  }

  get deadline(): number {
    if (this.#answered || this.#settled) return Number.POSITIVE_INFINITY
    return this.#events.waiting?.deadline ?? Number.POSITIVE_INFINITY
  }

  onAbandoned(callback: () => void): void {
    if (this.#answered || this.#settled) return
    this.#events.waiting?.onAbandoned(() => {
      if (!this.#answered && !this.#settled) callback()
    })
  }

  admit(): void {
    if (this.#answered || this.#settled) return
    this.#answered = true
    this.#events.admitted?.()
  }

  refuse(failure: Failure): void {
    if (this.#answered || this.#settled) return
    this.#answered = true
    this.#events.refused?.(failure)
  }

  settle(outcome: Outcome): void {
    if (this.#settled) throw new Error('delivery settled twice')
    this.#settled = true
    this.#events.settled(outcome)
  }
}

/**
 * One batch out in place of one in: same duty, other bytes. For a processor that edits or drops.
 */
export function replace(parent: Delivery, batch: Batch): Delivery {
  return deliver(batch, {
    admitted: () => parent.admit(),
    refused: (failure) => parent.refuse(failure),
    settled: (outcome) => parent.settle(outcome),
    waiting: parent,
  })
}

/**
 * One delivery becomes several. `parts` are shares of the parent's items (a split): rejected counts add up.
 * The parent is answered when every part is, and settles, when all have, with the worst of their outcomes.
 * `free` runs for each part once it is settled: bytes that were written for it alone are free then.
 */
export function split(parent: Delivery, parts: readonly Batch[], free?: (part: Batch) => void): Delivery[] {
  return derive(parent, parts, new Shares(false), free)
}

/**
 * A split at the end of the way, where parts arrive or not one by one: those that were refused for good count as rejected
 * where others arrived, so that a record that nobody takes does not fail its neighbours. Else as `split`.
 */
export function apart(parent: Delivery, parts: readonly Batch[], free?: (part: Batch) => void): Delivery[] {
  return derive(parent, parts, new Shares(true), free)
}

/**
 * The same batch to several consumers: rejected counts do not add up, the largest counts.
 * The parent is answered when every copy is, and settles, when all have, with the worst of their outcomes.
 */
export function fanOut(parent: Delivery, copies: number): Delivery[] {
  return derive(parent, Array<Batch>(copies).fill(parent.batch), new Copies())
}

function derive(parent: Delivery, parts: readonly Batch[], tally: Tally, free?: (part: Batch) => void): Delivery[] {
  if (parts.length === 0) throw new Error('a delivery derives at least one part; settle it instead')
  let unanswered = parts.length
  let unsettled = parts.length
  /** The worst that a part was refused or failed with. */
  let refusal: Failure | undefined
  const refuse = (failure: Failure): void => {
    if (refusal === undefined || severityOf(failure) > severityOf(refusal)) refusal = failure
  }
  const answer = (): void => {
    if (--unanswered > 0) return
    if (refusal === undefined) parent.admit()
    else parent.refuse(refusal)
  }
  return parts.map((batch) => {
    let answered = false
    return deliver(batch, {
      admitted() {
        answered = true
        answer()
      },
      refused(failure) {
        answered = true
        refuse(failure)
        answer()
      },
      settled(outcome) {
        free?.(batch)
        tally.add(outcome, batch.items)
        if (!outcome.ok) refuse(outcome.failure)
        if (--unsettled === 0) parent.settle(tally.outcome())
        else if (!answered) answer()
      },
      waiting: parent,
    })
  })
}

/**
 * Several deliveries become one batch: each parent gets the outcome of the whole. Which parent's items a partial success
 * refused cannot be known, so the parents read `rejected: 0`, and their books have as many of them together.
 */
export function merge(parents: readonly Delivery[], batch: Batch): Delivery {
  return deliver(batch, {
    admitted() {
      for (const parent of parents) parent.admit()
    },
    refused(failure) {
      for (const parent of parents) parent.refuse(failure)
    },
    settled: (outcome) => settleAll(parents, outcome),
    waiting: together(parents),
  })
}

/** Ends deliveries that went as one batch, each with its share of the batch's books. */
export function settleAll(deliveries: readonly Delivery[], outcome: Outcome): void {
  if (outcome.books === undefined && (!outcome.ok || outcome.rejected === 0)) {
    for (const delivery of deliveries) delivery.settle(outcome)
    return
  }
  const left: Record<string, number> = { ...booksOf(outcome, 0) }
  const { message } = outcome.ok ? outcome : {}
  const told: Outcome = outcome.ok ? { ok: true, rejected: 0, ...(message !== undefined && { message }) } : outcome
  for (const delivery of deliveries) {
    const books: Record<string, number> = {}
    let room = delivery.batch.items
    for (const [reason, items] of Object.entries(left)) {
      const share = Math.min(items, room)
      if (share === 0) continue
      books[reason] = share
      left[reason] = items - share
      room -= share
    }
    delivery.settle(told.ok && room === delivery.batch.items ? told : { ...told, books })
  }
}
