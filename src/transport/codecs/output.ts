import { arenas } from '../../otlp/arena.ts'
import { DecompressionError } from './decompression-error.ts'

/** Least that is taken where nobody knows how much there will be. */
const SMALLEST_GUESS = 4096
const NOTHING = new Uint8Array(0)

/**
 * Where decompressed bytes go: one piece of pooled memory, which grows by moving to a larger piece. Never past the limit, and
 * never before `reserve` has granted what it grows by. While it moves, the piece it leaves is held as well: the one block
 * that decompression takes beyond what was granted, for as long as a copy lasts, once a thread.
 */
export class Output {
  bytes: Buffer
  /** Bytes written. */
  length = 0
  readonly #limit: number
  readonly #reserve: ((bytes: number) => boolean) | undefined

  /** `expected` bytes are taken at once where they are within the limit. */
  constructor(expected: number, limit: number, reserve: ((bytes: number) => boolean) | undefined) {
    this.#limit = limit
    this.#reserve = reserve
    const capacity = Math.min(expected, limit)
    this.#grant(capacity)
    this.bytes = arenas.take(capacity)
  }

  /** Bytes that can be written without growing. */
  get room(): number {
    return this.bytes.length - this.length
  }

  /** Makes more room: enough for `expected` bytes in all, if the limit allows, and for one more in any case. */
  grow(expected: number): void {
    const { length: held } = this.bytes
    if (held >= this.#limit) throw tooLarge(this.#limit)
    const least = Math.max(held + (held >> 1), SMALLEST_GUESS)
    const capacity = Math.min(Math.max(expected, least), this.#limit)
    this.#grant(capacity - held)
    const larger = arenas.take(capacity)
    larger.set(this.bytes.subarray(0, this.length))
    arenas.release(this.bytes)
    this.bytes = larger
  }

  /**
   * What was written, in memory that fits it; whoever takes it releases it to `arenas`. Where much more was expected it is
   * moved: a body is held for as long as its delivery takes, and so would be what lies empty behind it.
   */
  take(): Uint8Array {
    const { bytes, length } = this
    const spare = bytes.length - length
    if (spare === 0) return bytes
    if (length > 0 && spare <= Math.max(bytes.length >> 2, SMALLEST_GUESS)) return bytes.subarray(0, length)
    const fitting = length === 0 ? NOTHING : arenas.take(length)
    fitting.set(bytes.subarray(0, length))
    arenas.release(bytes)
    return fitting
  }

  /** Gives the memory back: nobody takes it. */
  discard(): void {
    arenas.release(this.bytes)
  }

  #grant(bytes: number): void {
    if (this.#reserve === undefined || bytes === 0) return
    if (!this.#reserve(bytes)) throw new DecompressionError(`no room for another ${bytes} bytes`, 'no_room')
  }
}

export function tooLarge(limit: number): DecompressionError {
  return new DecompressionError(`more than ${limit} bytes`, 'too_large')
}

/** Bytes to expect of `length` compressed ones, where nobody says; most telemetry shrinks to between a sixth and an eighth. */
export function guess(length: number): number {
  return Math.max(length * 8, SMALLEST_GUESS)
}
