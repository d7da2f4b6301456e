/** A limit that a peer taught grows again by an eighth in this time. */
const GROW_EVERY_MS = 60_000
const GROWTH = 1.125
/** After this long without a refusal a size that was refused may be tried again: peers are configured anew. */
const FORGET_AFTER_MS = 30 * 60_000
/** Below, requests are nearly all overhead; a peer that takes less gets its refusals one batch at a time. */
const LEAST = 4096

/**
 * The largest request, in bytes, that the next hop takes as far as is known: what is configured, less once a request was
 * refused for its size. It then grows slowly, but not to a size that was refused lately, so that few requests go in vain.
 */
export class RequestLimit {
  readonly #configured: number
  #limit: number
  /** The smallest size that was refused, and when one last was. */
  #refused = Number.POSITIVE_INFINITY
  #refusedAt = 0
  #grownAt = 0

  /** `configured`: bytes; `Infinity` for no limit. */
  constructor(configured: number) {
    this.#configured = configured
    this.#limit = configured
  }

  /** The limit at `now`, on the monotonic clock. */
  at(now: number): number {
    if (this.#limit >= this.#configured) return this.#limit
    if (now - this.#refusedAt > FORGET_AFTER_MS) this.#refused = Number.POSITIVE_INFINITY
    const steps = Math.floor((now - this.#grownAt) / GROW_EVERY_MS)
    if (steps > 0) {
      this.#grownAt += steps * GROW_EVERY_MS
      const grown = Math.floor(this.#limit * GROWTH ** steps)
      this.#limit = Math.min(grown, Math.max(this.#refused - 1, LEAST), this.#configured)
    }
    return this.#limit
  }

  /** A request of that many bytes was too large: half of it is tried from now on. */
  refused(bytes: number, now: number): void {
    this.#refused = Math.min(this.#refused, bytes)
    this.#limit = Math.min(this.at(now), Math.max(Math.floor(bytes / 2), LEAST))
    this.#refusedAt = now
    this.#grownAt = now
  }
}
