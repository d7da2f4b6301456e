import { text32 } from '../memory/text-hash.ts'

/** `service.telemetry.logs.sampling`, resolved. */
export interface LogSampling {
  readonly tickMs: number
  readonly initial: number
  /** 0: none. */
  readonly thereafter: number
  /** Where the loggers of all threads count together (`LogSampler.memory`); absent: this one counts by itself. */
  readonly counts?: SharedArrayBuffer
}

/** 12 days: times are compared by their last 32 bits. */
const LONGEST_TICK_MS = 2 ** 30

/** Messages that are told apart; more in one tick share a count, so that a logger gone wild costs no memory. */
const MESSAGES = 4096
/** Places at which a message may be. */
const PROBES = 16

/** The cells of a message: 32 bits of its hash, the end of its tick, lines in it. */
const KEY = 0
const TICK_ENDS = 1
const COUNT = 2
const CELLS = 3
/** Those of what finds no place. */
const OTHERS = MESSAGES * CELLS

/**
 * Thins out lines as zap's sampler does: of those of one level with one message the first `initial` in a tick are
 * written, and then every `thereafter`th. A tick begins with the first of its lines. Lines of several threads are counted
 * together; at the turn of a tick one more or less may be written.
 */
export class LogSampler {
  readonly #sampling: LogSampling
  readonly #tickMs: number
  readonly #now: () => number
  readonly #cells: Int32Array

  /** `now` reads a clock in ms that all threads share. */
  constructor(sampling: LogSampling, now: () => number) {
    this.#sampling = sampling
    this.#tickMs = Math.min(sampling.tickMs, LONGEST_TICK_MS)
    this.#now = now
    this.#cells = new Int32Array(sampling.counts ?? LogSampler.memory())
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer((OTHERS + CELLS) * Int32Array.BYTES_PER_ELEMENT)
  }

  /** Whether a line is to be written. */
  takes(level: number, message: string): boolean {
    const { initial, thereafter } = this.#sampling
    const count = this.#count(text32(message, level) | 1)
    if (count <= initial) return true
    return thereafter > 0 && (count - initial) % thereafter === 0
  }

  /** One more of `key`: how many in this tick. */
  #count(key: number): number {
    const cells = this.#cells
    const now = Math.floor(this.#now()) | 0
    const at = this.#find(key, now)
    const ends = Atomics.load(cells, at + TICK_ENDS)
    if (!this.#over(ends, now)) return Atomics.add(cells, at + COUNT, 1) + 1
    if (Atomics.compareExchange(cells, at + TICK_ENDS, ends, (now + this.#tickMs) | 0) !== ends)
      return Atomics.add(cells, at + COUNT, 1) + 1
    Atomics.store(cells, at + COUNT, 1)
    return 1
  }

  /** Where `key` is counted: where it was before, else in a free place or that of a message whose tick is over. */
  #find(key: number, now: number): number {
    const cells = this.#cells
    let free = OTHERS
    for (let probe = PROBES - 1; probe >= 0; probe--) {
      const at = (((key >>> 1) + probe) % MESSAGES) * CELLS
      const found = Atomics.load(cells, at + KEY)
      if (found === key) return at
      if (found === 0 || this.#over(Atomics.load(cells, at + TICK_ENDS), now)) free = at
    }
    if (free !== OTHERS) Atomics.store(cells, free + KEY, key)
    return free
  }

  /** By the 32 bits of times that there are: the difference counts. */
  #over(ends: number, now: number): boolean {
    const left = (ends - now) | 0
    return left <= 0 || left > this.#tickMs
  }
}
