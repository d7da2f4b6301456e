// One look at all of them this often at most: a bound is kept to an eighth of it.
const LONGEST_PERIOD_MS = 1000
const SHORTEST_PERIOD_MS = 5

/**
 * Finds what takes too long, with one timer for all: a timer for each call costs more than the call's book-keeping. Runs
 * only while there is something to watch.
 */
export class Overdue<T> {
  readonly #limitMs: number
  readonly #act: (entry: T) => void
  /** When each began, on `performance.now()`'s scale; oldest first. */
  readonly #since = new Map<T, number>()
  #timer: NodeJS.Timeout | undefined

  /** `act` runs once for each entry that is still there after `limitMs`; it is forgotten then. */
  constructor(limitMs: number, act: (entry: T) => void) {
    this.#limitMs = limitMs
    this.#act = act
  }

  add(entry: T): void {
    this.#since.set(entry, performance.now())
    if (this.#timer !== undefined) return
    const period = Math.min(LONGEST_PERIOD_MS, Math.max(SHORTEST_PERIOD_MS, this.#limitMs / 8))
    this.#timer = setInterval(() => this.#sweep(), period)
    this.#timer.unref()
  }

  delete(entry: T): void {
    this.#since.delete(entry)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#since.clear()
  }

  #sweep(): void {
    const due = performance.now() - this.#limitMs
    for (const [entry, since] of this.#since) {
      if (since > due) break
      this.#since.delete(entry)
      this.#act(entry)
    }
    if (this.#since.size === 0) this.stop()
  }
}
