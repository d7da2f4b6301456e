import type { Clock } from '../../src/clock.ts'

const TICK_MS = 1000

/** Lets through the first `initial` of every second and then every `thereafter`-th; counts what it held back. */
export class Sampler {
  readonly #clock: Clock
  readonly #initial: number
  readonly #thereafter: number
  #since = Number.NEGATIVE_INFINITY
  #seen = 0
  #skipped = 0

  constructor(clock: Clock, initial: number, thereafter: number) {
    this.#clock = clock
    this.#initial = initial
    this.#thereafter = thereafter
  }

  /** True: print this one. */
  sample(): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#since >= TICK_MS) {
      this.#since = now
      this.#seen = 0
    }
    this.#seen++
    const past = this.#seen - this.#initial
    const shown = past <= 0 || (this.#thereafter > 0 && past % this.#thereafter === 0)
    if (!shown) this.#skipped++
    return shown
  }

  /** How many were held back since this was last asked. */
  takeSkipped(): number {
    const skipped = this.#skipped
    this.#skipped = 0
    return skipped
  }
}
