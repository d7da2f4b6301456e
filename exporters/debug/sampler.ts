import type { Clock } from '../../src/clock.ts'
import type { SharedPiece } from '../../src/memory/shared-board.ts'

const TICK_MS = 1000

/** Cells of what the lanes share: when the second began, by the last 32 bits of the time; what came in it; what was held back. */
const SINCE = 1
const SEEN = 2
const SKIPPED = 3

/**
 * Lets through the first `initial` of every second and then every `thereafter`-th, of all lanes together; counts what it
 * held back.
 */
export class Sampler {
  readonly #clock: Clock
  readonly #initial: number
  readonly #thereafter: number
  readonly #cells: Int32Array

  constructor(clock: Clock, initial: number, thereafter: number, { cells }: SharedPiece) {
    this.#clock = clock
    this.#initial = initial
    this.#thereafter = thereafter
    this.#cells = cells
  }

  /** True: print this one. */
  sample(): boolean {
    const past = this.#seen() - this.#initial
    const shown = past <= 0 || (this.#thereafter > 0 && past % this.#thereafter === 0)
    if (!shown) Atomics.add(this.#cells, SKIPPED, 1)
    return shown
  }

  /** How many were held back since any lane last asked. */
  takeSkipped(): number {
    return Atomics.exchange(this.#cells, SKIPPED, 0)
  }

  /** This one is the how manieth of its second. */
  #seen(): number {
    const cells = this.#cells
    const now = Math.floor(this.#clock.now()) | 0
    const since = Atomics.load(cells, SINCE)
    const passed = (now - since) | 0
    const over = passed < 0 || passed >= TICK_MS
    if (over && Atomics.compareExchange(cells, SINCE, since, now) === since) Atomics.store(cells, SEEN, 0)
    return Atomics.add(cells, SEEN, 1) + 1
  }
}
