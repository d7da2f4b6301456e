/** `service.telemetry.logs.sampling`, resolved. */
export interface LogSampling {
  readonly tickMs: number
  readonly initial: number
  /** 0: none. */
  readonly thereafter: number
}

/** Messages that are told apart; more in one tick share a count, so that a logger gone wild costs no memory. */
const MESSAGES = 4096

/**
 * Thins out lines as zap's sampler does: of those of one level with one message the first `initial` in a tick are
 * written, and then every `thereafter`th.
 */
export class LogSampler {
  readonly #sampling: LogSampling
  readonly #now: () => number
  readonly #counts = new Map<string, number>()
  #tickEnds = Number.NEGATIVE_INFINITY

  /** `now` reads a clock that never goes back, in ms. */
  constructor(sampling: LogSampling, now: () => number) {
    this.#sampling = sampling
    this.#now = now
  }

  /** Whether a line is to be written. */
  takes(level: number, message: string): boolean {
    const { tickMs, initial, thereafter } = this.#sampling
    const now = this.#now()
    if (now >= this.#tickEnds) {
      this.#counts.clear()
      this.#tickEnds = now + tickMs
    }
    const own = `${level} ${message}`
    const key = this.#counts.has(own) || this.#counts.size < MESSAGES ? own : ''
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    if (count <= initial) return true
    return thereafter > 0 && (count - initial) % thereafter === 0
  }
}
