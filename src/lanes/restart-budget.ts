const WINDOW_MS = 60_000

/** How many lanes may end within any minute before the process gives up. */
export class RestartBudget {
  readonly #perMinute: number
  /** When the lanes of the last minute ended. */
  #ends: number[] = []

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** A lane ended at `now`, ms on any scale that does not jump; false: one more than may. */
  spend(now: number): boolean {
    this.#ends = this.#ends.filter((end) => now - end < WINDOW_MS)
    this.#ends.push(now)
    return this.#ends.length <= this.#perMinute
  }
}
