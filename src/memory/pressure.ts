/** Bytes and milliseconds of a memory limiter. */
export interface PressureSettings {
  /** From here on collecting is urgent. */
  readonly hardLimit: number
  /** From here on nothing new is taken: the hard limit less what may come in between two checks. */
  readonly softLimit: number
  readonly checkIntervalMs: number
  /** The least and the most time between two forced collections, by limit; a most of 0 keeps to the least. */
  readonly soft: { readonly minMs: number; readonly maxMs: number }
  readonly hard: { readonly minMs: number; readonly maxMs: number }
}

/** A collection that frees less than this and stays above the soft limit was for nothing. */
const EFFECTIVE_SHARE = 0.05
/**
 * The first pause after a fruitless collection is just below the check interval: it is counted from the collection's end,
 * and with the whole interval every other check would come a moment too early.
 */
const ALMOST_A_CHECK = 0.95

/**
 * When to refuse and when to collect garbage, given readings of the memory in use: the Collector's rules (v0.156 on). No
 * clock, no I/O.
 */
export class Pressure {
  readonly #settings: PressureSettings
  #refusing = false
  #lastUsed = 0
  #collectedAt: number
  #softPauseMs = 0
  #hardPauseMs = 0

  /** `now` in milliseconds, as for the other calls: the first collection keeps its distance from the start. */
  constructor(settings: PressureSettings, now: number) {
    this.#settings = settings
    this.#collectedAt = now
  }

  /** Whether new data is to be refused, by the last reading. */
  get refusing(): boolean {
    return this.#refusing
  }

  /** Time that has to pass between collections now, by limit. */
  get pauses(): { readonly soft: number; readonly hard: number } {
    const { soft, hard } = this.#settings
    return { soft: Math.max(soft.minMs, this.#softPauseMs), hard: Math.max(hard.minMs, this.#hardPauseMs) }
  }

  /** Takes a reading. `soft` or `hard`: above that limit, and garbage is to be collected and `collected` to be told. */
  read(used: number, now: number): 'soft' | 'hard' | undefined {
    this.#take(used)
    if (!this.#refusing) return undefined
    const limit = used >= this.#settings.hardLimit ? 'hard' : 'soft'
    return now - this.#collectedAt > this.pauses[limit] ? limit : undefined
  }

  /** Takes the reading after a collection that `read` asked for; false when it was for nothing and the next waits longer. */
  collected(used: number, now: number): boolean {
    this.#collectedAt = now
    if (this.#take(used)) return true
    const { soft, hard } = this.#settings
    // Both, so that one that becomes the other does not begin anew.
    this.#softPauseMs = this.#longer(this.#softPauseMs, soft.minMs, soft.maxMs)
    this.#hardPauseMs = this.#longer(this.#hardPauseMs, hard.minMs, hard.maxMs)
    return false
  }

  /** True when memory came down, by a collection or on its own: then it is worth collecting again soon. */
  #take(used: number): boolean {
    this.#refusing = used >= this.#settings.softLimit
    const down = !this.#refusing || used <= this.#lastUsed * (1 - EFFECTIVE_SHARE)
    this.#lastUsed = used
    if (down) {
      this.#softPauseMs = 0
      this.#hardPauseMs = 0
    }
    return down
  }

  #longer(pauseMs: number, minMs: number, maxMs: number): number {
    if (maxMs === 0) return minMs
    const least = Math.max(minMs, this.#settings.checkIntervalMs * ALMOST_A_CHECK)
    return Math.min(Math.max(pauseMs, least) * 2, Math.max(maxMs, minMs))
  }
}
