/** How often a client may ping, as grpc-go's enforcement policy says it. */
export interface PingPolicy {
  /** Milliseconds between two pings. */
  readonly minTimeMs: number
  /** Without a call under way too; else such a client may ping every two hours. */
  readonly permitWithoutStream: boolean
}

/** Pings that come too early and are let pass. */
const STRIKES = 2
const WITHOUT_STREAM_MS = 7_200_000

/**
 * Counts pings that come too early on one connection, as grpc-go does: an answer in between forgives them, since a client
 * that sends may ping to measure its line.
 */
export class PingEnforcer {
  readonly #policy: PingPolicy
  #strikes = 0
  #lastAt = Number.NEGATIVE_INFINITY
  #answeredSince = false

  constructor(policy: PingPolicy) {
    this.#policy = policy
  }

  /** The server has sent an answer. */
  answered(): void {
    this.#answeredSince = true
  }

  /** Takes a ping at `now` (ms) with `streams` calls under way; true where it is one too many. */
  tooMany(now: number, streams: number): boolean {
    const since = now - this.#lastAt
    this.#lastAt = now
    if (this.#answeredSince) {
      this.#answeredSince = false
      this.#strikes = 0
      return false
    }
    const { minTimeMs, permitWithoutStream } = this.#policy
    if (since < (streams > 0 || permitWithoutStream ? minTimeMs : WITHOUT_STREAM_MS)) this.#strikes++
    return this.#strikes > STRIKES
  }
}
