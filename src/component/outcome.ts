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

/** Items that did not arrive, by the ledger's reason. */
export type Books = Readonly<Record<string, number>>

/**
 * How a delivery ended, as its sender is told. `rejected` items of it were refused for good by the peer's partial success;
 * the rest arrived.
 *
 * `books` is for the ledger alone, where it knows better: parts of a failed delivery may have arrived, and which part of a
 * joined one was refused nobody can tell its sender. Absent: a failure is one of all items, and `rejected` ones are that.
 */
export type Outcome =
  | { readonly ok: true; readonly rejected: number; readonly message?: string; readonly books?: Books }
  | { readonly ok: false; readonly failure: Failure; readonly books?: Books }

export const DELIVERED: Outcome = { ok: true, rejected: 0 }

/** `stopping` > `retry` > `reject`: a duplicate is better than a loss. */
const SEVERITY: Readonly<Record<Verdict, number>> = { reject: 1, retry: 2, stopping: 3 }

/** What did not arrive of a delivery of `items` items that ended so. */
export function booksOf(outcome: Outcome, items: number): Books {
  if (outcome.books !== undefined) return outcome.books
  if (!outcome.ok) return { [outcome.failure.reason]: items }
  return outcome.rejected === 0 ? NOTHING_LOST : { rejected: outcome.rejected }
}

const NOTHING_LOST: Books = {}
const NOTHING_TO_ADD = {}

function addBooks(a: Books, b: Books): Books {
  const sum: Record<string, number> = { ...a }
  for (const [reason, items] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + items
  return sum
}

/** Makes the outcome of a whole from those of its parts. */
export interface Tally {
  add(outcome: Outcome, items: number): void
  outcome(): Outcome
}

/** Of shares of the items. */
export class Shares implements Tally {
  /** Whether parts that were refused for good may leave the whole a success. */
  readonly #apart: boolean
  #items = 0
  #arrived = false
  #rejected = 0
  #message: string | undefined
  #failure: Failure | undefined
  /** Once a part says more than that it arrived. */
  #books: Books | undefined

  constructor(apart: boolean) {
    this.#apart = apart
  }

  add(outcome: Outcome, items: number): void {
    this.#items += items
    const lost = booksOf(outcome, items)
    if (lost !== NOTHING_LOST) this.#books = addBooks(this.#books ?? NOTHING_LOST, lost)
    if (outcome.ok) {
      this.#arrived = true
      this.#rejected += outcome.rejected
      this.#message ??= outcome.message
      return
    }
    if (outcome.failure.verdict === 'reject') this.#rejected += items
    if (this.#failure === undefined || severityOf(outcome.failure) > severityOf(this.#failure)) {
      this.#failure = outcome.failure
    }
  }

  outcome(): Outcome {
    const failure = this.#failure
    const rejected = this.#rejected
    if (failure !== undefined && !(this.#apart && this.#arrived && failure.verdict === 'reject')) {
      return { ok: false, failure, ...this.#unlike(failure.reason, this.#items) }
    }
    if (this.#books === undefined && this.#message === undefined) return DELIVERED
    const message = this.#message ?? failure?.message
    return { ok: true, rejected, ...(message !== undefined && { message }), ...this.#unlike('rejected', rejected) }
  }

  /** The books, where they say more than that so many items were lost for that reason. */
  #unlike(reason: string, items: number): { readonly books?: Books } {
    const books = this.#books ?? NOTHING_LOST
    const reasons = Object.keys(books).length
    return reasons === (items === 0 ? 0 : 1) && (books[reason] ?? 0) === items ? NOTHING_TO_ADD : { books }
  }
}

/** Of copies of all items. An item has arrived when every copy of it has: where one failed the whole did, whatever of it arrived elsewhere. */
export class Copies implements Tally {
  #worst: Outcome = DELIVERED

  add(outcome: Outcome, items: number): void {
    const worst = this.#worst
    if (!outcome.ok) {
      if (worst.ok || severityOf(outcome.failure) > severityOf(worst.failure)) {
        this.#worst = { ok: false, failure: outcome.failure }
      }
    } else if (worst.ok && outcome !== DELIVERED) {
      const more = total(booksOf(outcome, items)) > total(booksOf(worst, items)) ? outcome : worst
      const message = worst.message ?? outcome.message
      this.#worst = {
        ok: true,
        rejected: Math.max(worst.rejected, outcome.rejected),
        ...(message !== undefined && { message }),
        ...(more.books && { books: more.books }),
      }
    }
  }

  outcome(): Outcome {
    return this.#worst
  }
}

export function severityOf({ verdict }: Failure): number {
  return SEVERITY[verdict]
}

function total(books: Books): number {
  let sum = 0
  for (const items of Object.values(books)) sum += items
  return sum
}
