import { arenas } from './arena.ts'
import { NOTHING, NOTHING_VIEW } from './text.ts'

/**
 * Up to this many bytes, moving words beats the call into `Buffer.copy`, which costs 50 ns whatever the size. A bigint here is two
 * registers: optimised code allocates none (Node 24).
 */
const SHORT = 192

/** Where a pass writes: an arena that grows and is handed over whole, to be released by who takes it. */
export class Output {
  buffer: Buffer = NOTHING
  length = 0
  /** Capacity to begin with, when the first byte is written. */
  expected = 256
  view: DataView = NOTHING_VIEW
  readonly #pooled: boolean

  /**
   * `pooled: false` for what is read while it is written: growing gives pooled memory back, and whoever still reads the old
   * would find it overwritten.
   */
  constructor({ pooled = true }: { readonly pooled?: boolean } = {}) {
    this.#pooled = pooled
  }

  /** Starts again in a fresh buffer of `capacity` bytes. */
  allocate(capacity: number): void {
    this.buffer = this.#pooled ? arenas.take(capacity) : Buffer.allocUnsafeSlow(capacity)
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, capacity)
    this.length = 0
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const old = this.buffer
    const { length } = this
    this.allocate(Math.max(this.expected, length + bytes, Math.ceil(old.length * 1.5)))
    old.copy(this.buffer, 0, 0, length)
    this.length = length
    arenas.release(old)
  }

  /** Hands over what was written and forgets it. */
  take(): Uint8Array {
    const { buffer, length } = this
    this.#clear()
    const written = buffer.subarray(0, length)
    if (length * 2 >= buffer.length) return written
    // A batch may wait in a queue for long: it must not hold much more memory than it is booked with.
    const copy = arenas.take(length)
    copy.set(written)
    arenas.release(buffer)
    return copy
  }

  /** Gives up what was written. */
  forget(): void {
    arenas.release(this.buffer)
    this.#clear()
  }

  #clear(): void {
    this.buffer = NOTHING
    this.view = NOTHING_VIEW
    this.length = 0
  }

  /** Appends `source[start, end)`; `view` is over the whole of `source`. */
  copy(source: Buffer, view: DataView, start: number, end: number): void {
    const size = end - start
    if (size <= 0) return
    this.reserve(size)
    let to = this.length
    this.length = to + size
    if (size > SHORT) {
      source.copy(this.buffer, to, start, end)
      return
    }
    const target = this.view
    let from = start
    for (const last = end - 8; from <= last; from += 8) {
      target.setBigInt64(to, view.getBigInt64(from, true), true)
      to += 8
    }
    const { buffer } = this
    while (from < end) buffer[to++] = source[from++]!
  }

  append(bytes: Uint8Array): void {
    const size = bytes.length
    this.reserve(size)
    const { buffer, length } = this
    if (size > 48) buffer.set(bytes, length)
    else for (let i = 0; i < size; i++) buffer[length + i] = bytes[i]!
    this.length = length + size
  }

  /** A varint of up to 32 unsigned bits. */
  varint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest > 127) {
      this.buffer[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.length++] = rest
  }

  /** Tag and length of a LEN field whose number is below 16. */
  header(tag: number, size: number): void {
    this.reserve(6)
    const { buffer, length } = this
    buffer[length] = tag
    if (size < 128) {
      buffer[length + 1] = size
      this.length = length + 2
    } else {
      this.length = length + 1
      this.varint(size)
    }
  }

  /** A LEN field whose content is at hand. */
  field(tag: number, content: Uint8Array): void {
    this.varint(tag)
    this.varint(content.length)
    this.append(content)
  }

  /**
   * Leaves room for the length of what follows, `width` bytes of it, and returns where it begins: `end` fills the room.
   * The width that the length had in the input is nearly always right, and then nothing has to move.
   */
  begin(tag: number, width: number): number {
    this.varint(tag)
    this.reserve(width)
    this.length += width
    return this.length
  }

  /** Writes the length of everything since `begin`, moving it where the varint turns out longer or shorter. */
  end(body: number, width: number): void {
    const size = this.length - body
    const needed = varintSize(size)
    if (needed !== width) {
      if (needed > width) this.reserve(needed - width)
      this.buffer.copyWithin(body + needed - width, body, this.length)
      this.length += needed - width
    }
    let at = body - width
    let rest = size
    while (rest > 127) {
      this.buffer[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[at] = rest
  }

  /** Moves everything from `from` on by `by` bytes, to make room before it or to close a gap. */
  shift(from: number, by: number): void {
    if (by > 0) this.reserve(by)
    this.buffer.copyWithin(from + by, from, this.length)
    this.length += by
  }
}

/** Bytes that the varint of an unsigned 32-bit number takes. */
export function varintSize(value: number): number {
  if (value < 1 << 7) return 1
  if (value < 1 << 14) return 2
  if (value < 1 << 21) return 3
  return value < 1 << 28 ? 4 : 5
}
