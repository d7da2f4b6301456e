import { WireError } from './wire-error.ts'

/*
 * The slow half of reading varints. Hot loops read one- and two-byte varints in line, where the position stays in a
 * register, and come here for the rest; the position after the varint comes back through `after`, because returning
 * two numbers would allocate.
 */

/** Where the varint that was read last ended. */
export let after = 0

/** The value of the varint at `at`, exact to 2^53 and rounded above. Throws WireError past `end` or ten bytes. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  let scale = 1
  let p = at
  while (p < end) {
    const byte = bytes[p++]!
    if (p - at === 10 && byte > 1) break
    value += (byte & 127) * scale
    if (byte < 128) {
      after = p
      return value
    }
    scale *= 128
  }
  throw new WireError(at, p - at >= 10 ? 'a varint is longer than 64 bits' : 'the bytes end inside a varint')
}

/**
 * A field's tag, `number << 3 | wire type`, as a positive integer of 31 bits: field numbers from 2^28 on, which nobody
 * uses, all read as the largest below it. Throws WireError for field number 0, for one past 2^29 - 1, and for a tag of more than
 * five bytes, which protobuf's C++ readers refuse.
 */
export function readTag(bytes: Uint8Array, at: number, end: number): number {
  const tag = readVarint(bytes, at, end)
  if (tag < 8 || tag >= 2 ** 32 || after - at > 5) throw new WireError(at, 'a tag is out of range')
  return tag < 2 ** 31 ? tag : 0x7ffffff8 | (tag & 7)
}

/** A length that fits between its own end and `end`; `after` is where what it measures begins. */
export function readLength(bytes: Uint8Array, at: number, end: number): number {
  const length = readVarint(bytes, at, end)
  if (length > end - after) throw new WireError(at, `a length of ${length} goes past the end of what holds it`)
  return length
}

/** Low and high 32 bits of the varint at `at`, as signed integers; `after` is its end. */
export let low = 0
export let high = 0

/** Reads all 64 bits into `low` and `high`. */
export function readVarint64(bytes: Uint8Array, at: number, end: number): void {
  low = 0
  high = 0
  let p = at
  for (let shift = 0; p < end; shift += 7) {
    const byte = bytes[p++]!
    if (p - at === 10 && byte > 1) break
    const bits = byte & 127
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= bits << 28
      high = bits >> 4
    } else high |= bits << (shift - 32)
    if (byte < 128) {
      after = p
      return
    }
  }
  throw new WireError(at, p - at >= 10 ? 'a varint is longer than 64 bits' : 'the bytes end inside a varint')
}

/**
 * The position after the value of a field whose tag is known. Groups are refused: OTLP has none, and what would skip
 * them is one more place that could run away.
 */
export function skipValue(bytes: Uint8Array, tag: number, at: number, end: number): number {
  switch (tag & 7) {
    case 0:
      readVarint(bytes, at, end)
      return after
    case 1:
      if (end - at < 8) throw new WireError(at, 'the bytes end inside a 64-bit value')
      return at + 8
    case 2: {
      const length = readLength(bytes, at, end)
      return after + length
    }
    case 5:
      if (end - at < 4) throw new WireError(at, 'the bytes end inside a 32-bit value')
      return at + 4
    default:
      throw new WireError(at, `wire type ${tag & 7} is not one that OTLP uses`)
  }
}
