import type { ConnectionShare } from './connection-share.ts'

/** How often a lane looks whether it has more connections than its share, while it has several. */
const LOOK_MS = 1000
/** How soon it looks again after it has parted with some: they come back at once, half of them to where they were. */
const LOOK_AGAIN_MS = 150
/** Attempts in a row, each of which parts with the surplus of that moment. */
const ATTEMPTS = 12
/** Then one more each time that this has passed: clients that always come back to the same lane are let be. */
const RECOVERY_MS = 10_000

/**
 * Parts with connections of which a lane has more than its share, so that their clients connect anew and the system deals
 * them once more.
 */
export class ConnectionSpreader {
  readonly #share: ConnectionShare
  readonly #part: (count: number) => void
  #timer: NodeJS.Timeout | undefined
  #attempts = ATTEMPTS
  #lastAttempt = Number.NEGATIVE_INFINITY

  /** `part`: so many clients are to connect anew; what they have under way is not to be cut off. */
  constructor(share: ConnectionShare, part: (count: number) => void) {
    this.#share = share
    this.#part = part
  }

  /** A connection came, which `share` may count only after this. */
  opened(): void {
    if (this.#timer === undefined && this.#share.own > 0) this.#schedule(LOOK_AGAIN_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Looks at `now`, ms. True when it has parted with some. */
  look(now: number): boolean {
    const { surplus } = this.#share
    if (surplus === 0) {
      this.#part(0)
      return false
    }
    const recovered = Math.floor((now - this.#lastAttempt) / RECOVERY_MS)
    this.#attempts = Math.min(ATTEMPTS, this.#attempts + recovered)
    if (this.#attempts === 0) return false
    this.#attempts--
    this.#lastAttempt = now
    this.#part(surplus)
    return true
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const parted = this.look(performance.now())
      if (this.#share.own > 1) this.#schedule(parted ? LOOK_AGAIN_MS : LOOK_MS)
    }, ms)
    this.#timer.unref()
  }
}
