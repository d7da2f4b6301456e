import { arenas } from './arena.ts'
import { NOTHING } from './text.ts'

/** Bytes that are not worth the copying. */
const MOST_SPARE = 4096

const scratch = new DataView(new ArrayBuffer(8))

export interface OutputLimits {
  /** Most bytes that may come. */
  readonly limit: number
  /** Asked before memory for so many bytes more is taken; false is no. */
  readonly reserve?: (bytes: number) => boolean
}

/** Protobuf bytes in pooled memory that grows, for writers that learn lengths only after the content. */
export class ProtoOutput {
  bytes: Buffer = NOTHING
  length = 0
  #limits: OutputLimits = { limit: 0 }

  /** Begins anew; `capacity` is how many bytes will probably come. False where they have no room. */
  begin(capacity: number, limits: OutputLimits): boolean {
    this.#limits = limits
    this.length = 0
    const room = Math.min(capacity, limits.limit)
    if (limits.reserve?.(room) === false) return false
    this.bytes = arenas.take(room)
    return true
  }

  /** Makes room for `more` bytes. False where there is none. */
  reserve(more: number): boolean {
    const needed = this.length + more
    return needed <= this.bytes.length || this.#grow(needed)
  }

  /** What was written, held once, in memory of about its size: it may wait in a queue for long. */
  take(): Uint8Array {
    const { bytes: whole, length } = this
    this.bytes = NOTHING
    const spare = whole.length - length
    if (spare <= MOST_SPARE || spare <= length >> 2 || this.#limits.reserve?.(length) === false) {
      return whole.subarray(0, length)
    }
    const fitting = arenas.take(length)
    whole.copy(fitting, 0, 0, length)
    arenas.release(whole)
    return fitting
  }

  /** Gives the memory back. */
  drop(): void {
    arenas.release(this.bytes)
    this.bytes = NOTHING
  }

  /** A number of up to 32 bits. */
  varint32(value: number): void {
    let rest = value >>> 0
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  /** Low and high 32 bits. */
  varint64(low: number, high: number): void {
    let rest = low >>> 0
    let upper = high >>> 0
    while (upper > 0 || rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128
      rest = ((rest >>> 7) | (upper << 25)) >>> 0
      upper >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  fixed32(value: number): void {
    const { bytes, length } = this
    bytes[length] = value
    bytes[length + 1] = value >>> 8
    bytes[length + 2] = value >>> 16
    bytes[length + 3] = value >>> 24
    this.length = length + 4
  }

  double(value: number): void {
    scratch.setFloat64(0, value, true)
    this.fixed32(scratch.getInt32(0, true))
    this.fixed32(scratch.getInt32(4, true))
  }

  /** `from[start, end)` as it is. */
  copy(from: Buffer, start: number, end: number): void {
    const to = this.bytes
    let at = this.length
    // A call costs as much as a few dozen bytes one by one.
    if (end - start > 48) at += from.copy(to, at, start, end)
    else for (let p = start; p < end; p++) to[at++] = from[p]!
    this.length = at
  }

  /**
   * Writes the length of what stands from `mark + width` on in front of it, and moves it where the length takes another number of bytes than
   * the `width` that was left for it. Five bytes of room must be there. Returns the number of bytes it took.
   */
  closeLength(mark: number, width: number): number {
    const { bytes } = this
    const content = this.length - mark - width
    let taken = 1
    for (let rest = content; rest > 127; rest >>>= 7) taken++
    if (taken !== width) {
      bytes.copyWithin(mark + taken, mark + width, this.length)
      this.length += taken - width
    }
    let at = mark
    let rest = content
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128
    bytes[at] = rest
    return taken
  }

  /** Takes `[start, end)` out again. */
  cut(start: number, end: number): void {
    this.bytes.copyWithin(start, end, this.length)
    this.length -= end - start
  }

  #grow(needed: number): boolean {
    const { limit, reserve } = this.#limits
    if (needed > limit) return false
    const old = this.bytes
    const room = Math.min(Math.max(needed, old.length + (old.length >> 1)), limit)
    if (reserve?.(room - old.length) === false) return false
    const grown = arenas.take(room)
    old.copy(grown, 0, 0, this.length)
    this.bytes = grown
    arenas.release(old)
    return true
  }
}
