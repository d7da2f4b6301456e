import type { Clock } from '../../src/clock.ts'
import type { Arriving } from '../../src/component/back-pressure.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import type { Entrance } from '../../src/transport/unary.ts'

/** A request of which nothing has come for so long is not waited for: a client that stands still holds nobody's place. */
const EXPECTED_MS = 2000
/** One of which little comes is counted anew so many times: its place may be the only one there is, and others are turned away for it. */
const MOST_PERIODS = 15
/** Bodies that an average goes back, about. */
const AVERAGED_OVER = 16

/**
 * The requests of one signal that were let in by their headers and are still on their way. Whoever asks a queue for room has to count
 * them: of a thousand that all see the one free place, nearly all would be read for nothing.
 */
export class Arrivals implements Arriving {
  readonly signal: Signal
  /** Of the one that asks. */
  bytes = 0
  readonly #clock: Clock
  /** Those of this period, and of the one before: each is counted for one to two of them. */
  #young: Expected = { requests: 0, bytes: 0 }
  #old: Expected = { requests: 0, bytes: 0 }
  #periodEnds = 0
  /** Of bodies that came whole, decompressed; 0: none has. */
  #usualBytes = 0

  constructor(signal: Signal, clock: Clock) {
    this.signal = signal
    this.#clock = clock
  }

  get ahead(): number {
    return this.#young.requests + this.#old.requests
  }

  get aheadBytes(): number {
    return this.#young.bytes + this.#old.bytes
  }

  /** This, as it is for one more, whose body is `length` bytes where somebody said so. */
  ask(length: number | undefined): Arriving {
    const now = this.#clock.monotonic()
    if (now >= this.#periodEnds) {
      const missed = now >= this.#periodEnds + EXPECTED_MS
      this.#old = missed ? { requests: 0, bytes: 0 } : this.#young
      this.#young = { requests: 0, bytes: 0 }
      this.#periodEnds = now + EXPECTED_MS
    }
    this.bytes = length ?? this.#usualBytes
    return this
  }

  /** The one that asked comes. */
  enter(): Entrance {
    return new Arrival(this, this.#young, this.bytes)
  }

  /** One whose client still sends is counted anew. */
  again(expected: Expected, bytes: number): Expected {
    const young = this.#young
    expected.requests--
    expected.bytes -= bytes
    young.requests++
    young.bytes += bytes
    return young
  }

  get young(): Expected {
    return this.#young
  }

  came(length: number): void {
    this.#usualBytes = this.#usualBytes === 0 ? length : this.#usualBytes + (length - this.#usualBytes) / AVERAGED_OVER
  }
}

interface Expected {
  requests: number
  bytes: number
}

class Arrival implements Entrance {
  readonly #arrivals: Arrivals
  readonly #bytes: number
  /** Undefined once it is over. */
  #counted: Expected | undefined
  #periods = 0

  constructor(arrivals: Arrivals, counted: Expected, bytes: number) {
    this.#arrivals = arrivals
    this.#counted = counted
    this.#bytes = bytes
    counted.requests++
    counted.bytes += bytes
  }

  arriving(): void {
    const counted = this.#counted
    if (counted !== undefined && counted !== this.#arrivals.young && this.#periods < MOST_PERIODS) {
      this.#periods++
      this.#counted = this.#arrivals.again(counted, this.#bytes)
    }
  }

  arrived(length: number): void {
    if (this.#counted === undefined) return
    this.#counted.requests--
    this.#counted.bytes -= this.#bytes
    this.#counted = undefined
    if (length > 0) this.#arrivals.came(length)
  }
}
