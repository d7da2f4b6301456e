import type { Clock, Timer } from '../../src/clock.ts'

interface Pending {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/**
 * Time that stands still until a test moves it. Timers that fall due together run in the order in which they were set.
 */
export class FakeClock implements Clock {
  readonly #epoch: number
  readonly #pending = new Set<Pending>()
  #elapsed = 0
  #order = 0

  /** `epoch` is what `now()` reads at first, in milliseconds since the Unix epoch. */
  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch
  }

  now(): number {
    return this.#epoch + this.#elapsed
  }

  monotonic(): number {
    return this.#elapsed
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const pending = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, callback }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** How many timers wait: 0 says that a stopped component left none behind. */
  get timers(): number {
    return this.#pending.size
  }

  /** Milliseconds until the next timer; undefined where none waits. */
  get next(): number | undefined {
    const first = this.#first()
    return first && first.at - this.#elapsed
  }

  /** Moves time on and runs what falls due; promises settle before the first timer, between two, and after the last. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    await settled()
    for (let due = this.#first(); due !== undefined && due.at <= end; due = this.#first()) {
      this.#elapsed = due.at
      this.#pending.delete(due)
      due.callback()
      await settled()
    }
    this.#elapsed = end
  }

  #first(): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending) {
      if (first === undefined || pending.at < first.at || (pending.at === first.at && pending.order < first.order)) {
        first = pending
      }
    }
    return first
  }
}

/** Lets every promise that can settle without I/O do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
