import type { Batch } from '../otlp/batch.ts'

/**
 * What should become of data that was not delivered:
 * `retry` the same data may succeed later, `reject` it never will, `stopping` this process goes away, ask another.
 */
export type Verdict = 'retry' | 'reject' | 'stopping'

/** Why a delivery failed. Plain data. */
export interface Failure {
  readonly verdict: Verdict
  /** The ledger's reason: snake_case, few values (`queue_full`, `unreachable`, `rejected`, `client_gone`, …). */
  readonly reason: string
  /** For people: which component, what happened. */
  readonly message: string
  /** How long the sender should wait before it tries again, in ms, where somebody said so. */
  readonly retryAfterMs?: number
  /** gRPC status code of the peer that refused, where one did: it travels back to the client. */
  readonly grpcStatus?: number
}

/**
 * How a delivery ended. `rejected` items of it were refused for good by the peer's partial success; the rest arrived.
 */
export type Outcome =
  | { readonly ok: true; readonly rejected: number; readonly message?: string }
  | { readonly ok: false; readonly failure: Failure }

export const DELIVERED: Outcome = { ok: true, rejected: 0 }

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
    return Math.max(...this.#deliveries.map(({ deadline }) => deadline))
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

/** `stopping` > `retry` > `reject`: a duplicate is better than a loss. */
const SEVERITY: Readonly<Record<Verdict, number>> = { reject: 1, retry: 2, stopping: 3 }

function severity(outcome: Outcome): number {
  return outcome.ok ? 0 : SEVERITY[outcome.failure.verdict]
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
  return derive(parent, parts, (a, b) => a + b, free)
}

/**
 * The same batch to several consumers: rejected counts do not add up, the largest counts.
 * The parent is answered when every copy is, and settles, when all have, with the worst of their outcomes.
 */
export function fanOut(parent: Delivery, copies: number): Delivery[] {
  return derive(parent, Array<Batch>(copies).fill(parent.batch), Math.max)
}

function derive(
  parent: Delivery,
  parts: readonly Batch[],
  addRejected: (a: number, b: number) => number,
  free?: (part: Batch) => void,
): Delivery[] {
  if (parts.length === 0) throw new Error('a delivery derives at least one part; settle it instead')
  let unanswered = parts.length
  let unsettled = parts.length
  let worst: Outcome = DELIVERED
  const answer = (): void => {
    if (--unanswered > 0) return
    if (worst.ok) parent.admit()
    else parent.refuse(worst.failure)
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
        worst = worse(worst, { ok: false, failure }, addRejected)
        answer()
      },
      settled(outcome) {
        free?.(batch)
        worst = worse(worst, outcome, addRejected)
        if (--unsettled === 0) parent.settle(worst)
        else if (!answered) answer()
      },
      waiting: parent,
    })
  })
}

function worse(a: Outcome, b: Outcome, addRejected: (a: number, b: number) => number): Outcome {
  if (a.ok && b.ok) {
    const message = a.message ?? b.message
    return { ok: true, rejected: addRejected(a.rejected, b.rejected), ...(message !== undefined && { message }) }
  }
  return severity(b) > severity(a) ? b : a
}

/**
 * Several deliveries become one batch: each parent gets the outcome of the whole. Which parent's items a partial
 * success refused cannot be known, so the count stays with the merged delivery and the parents read `rejected: 0`.
 */
export function merge(parents: readonly Delivery[], batch: Batch): Delivery {
  return deliver(batch, {
    admitted() {
      for (const parent of parents) parent.admit()
    },
    refused(failure) {
      for (const parent of parents) parent.refuse(failure)
    },
    settled(outcome) {
      const share: Outcome = outcome.ok ? { ...outcome, rejected: 0 } : outcome
      for (const parent of parents) parent.settle(share)
    },
    waiting: together(parents),
  })
}
