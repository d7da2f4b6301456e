import type { RetryConfig } from './fields.ts'

/**
 * Waits between the attempts of one batch: the interval starts at `initial_interval` and grows by `multiplier` up to
 * `max_interval`; each wait is drawn evenly from `randomization_factor` around it, so that senders that failed together
 * do not come back together.
 */
export class Backoff {
  readonly #config: RetryConfig
  #interval: number

  constructor(config: RetryConfig) {
    this.#config = config
    this.#interval = config.initial_interval
  }

  /** Milliseconds to wait now. `random` is in [0, 1). */
  next(random: number): number {
    const { randomization_factor: spread, multiplier, max_interval: longest } = this.#config
    const wait = this.#interval * (1 - spread + 2 * spread * random)
    this.#interval = Math.min(this.#interval * multiplier, longest)
    return wait
  }
}
