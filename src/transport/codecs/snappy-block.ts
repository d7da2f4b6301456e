/** Snappy's raw block: https://github.com/google/snappy/blob/main/format_description.txt */
import { Copier } from './copier.ts'
import { malformed } from './decompression-error.ts'
import { type Output, tooLarge } from './output.ts'

// A copy of 64 bytes takes three: nothing in a block grows by more.
const GREATEST_RATIO = 22
/** Blocks are compressed in pieces of this many bytes, so that positions fit into 16 bits. */
const PIECE = 1 << 16
/** No match is looked for in the last bytes of a piece: hashing reads four. */
const MARGIN = 15
const TABLE_BITS = 14

/** What the preamble said of the block that `readPreamble` was last shown. */
export const preamble = { length: 0, bytes: 0 }

/** Reads how long the block in `bytes[from, to)` will be into `preamble`. A length that no such block can have is refused. */
export function readPreamble(bytes: Uint8Array, from: number, to: number): void {
  let length = 0
  for (let i = 0; i < 5; i++) {
    if (from + i >= to) break
    const byte = bytes[from + i]!
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (length >= 2 ** 32) break
    if (length > (to - from) * GREATEST_RATIO) {
      throw malformed(`${to - from} bytes of snappy cannot be ${length} bytes`)
    }
    preamble.length = length
    preamble.bytes = i + 1
    return
  }
  throw malformed('the length before a snappy block is broken')
}

/** Exact number of bytes that a block decodes to; throws for more than `limit`. */
export function blockLength(bytes: Uint8Array, limit: number): number {
  readPreamble(bytes, 0, bytes.length)
  if (preamble.length > limit) throw tooLarge(limit)
  return preamble.length
}

/** Decodes a block into an output of the length that `blockLength` found. */
export function decodeWhole(bytes: Uint8Array, output: Output): void {
  readPreamble(bytes, 0, bytes.length)
  decodeBlock(bytes, preamble.bytes, bytes.length, output.bytes, 0, preamble.length)
  output.length = preamble.length
}

/**
 * Decodes the elements `bytes[from, to)`, a block without its preamble, into `out` at `start`, exactly as far as `end`. Nothing
 * outside of that is read or written, whatever the elements say.
 */
export function decodeBlock(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  end: number,
): void {
  const copier = new Copier(bytes, out)
  let at = from
  let written = start
  while (at < to) {
    const tag = bytes[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const size = length - 60
        if (size > to - at) throw broken(at)
        length = bytes[at]! + 1
        if (size > 1) length += bytes[at + 1]! << 8
        if (size > 2) length += bytes[at + 2]! << 16
        if (size > 3) length += bytes[at + 3]! * 2 ** 24
        at += size
      }
      if (length > to - at || length > end - written) throw broken(at)
      copier.run(at, written, length)
      at += length
      written += length
      continue
    }
    let length: number
    let offset: number
    if (kind === 1) {
      if (at >= to) throw broken(at)
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | bytes[at++]!
    } else {
      const size = kind === 2 ? 2 : 4
      if (size > to - at) throw broken(at)
      length = (tag >>> 2) + 1
      offset = bytes[at]! | (bytes[at + 1]! << 8)
      if (size === 4) offset += (bytes[at + 2]! << 16) + bytes[at + 3]! * 2 ** 24
      at += size
    }
    if (offset === 0 || offset > written - start || length > end - written) throw broken(at)
    copier.match(written, offset, length)
    written += length
  }
  if (written !== end) throw malformed(`the snappy block ends ${end - written} bytes early`)
}

function broken(at: number): Error {
  return malformed(`the snappy block is broken at byte ${at}`)
}

/** Most bytes that `length` bytes can become: all of it literals. */
export function maxBlockLength(length: number): number {
  return 32 + length + Math.ceil(length / 6)
}

const table = new Uint16Array(1 << TABLE_BITS)

/** Encodes `bytes[from, to)` with its preamble into `out` at `start`; there must be room for `maxBlockLength`. Returns the end. */
export function encodeBlock(bytes: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  let at = start
  let length = to - from
  while (length >= 0x80) {
    out[at++] = (length & 0x7f) | 0x80
    length = Math.floor(length / 128)
  }
  out[at++] = length
  const copier = new Copier(bytes, out)
  for (let piece = from; piece < to; piece += PIECE)
    at = encodePiece(bytes, piece, Math.min(piece + PIECE, to), out, at, copier)
  return at
}

function encodePiece(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  copier: Copier,
): number {
  let at = start
  let literal = from
  if (to - from > MARGIN) {
    // A small piece needs a small table, which is cleared sooner.
    const bits = Math.min(TABLE_BITS, 32 - Math.clz32(to - from))
    const shift = 32 - bits
    table.fill(0, 0, 1 << bits)
    const last = to - MARGIN
    let next = from + 1
    // Longer steps where nothing was found for long: data that does not compress costs little.
    let misses = 32
    while (next <= last) {
      const word = uint32(bytes, next)
      const slot = Math.imul(word, 0x1e35a7bd) >>> shift
      const candidate = from + table[slot]!
      table[slot] = next - from
      if (candidate >= next || uint32(bytes, candidate) !== word) {
        next += misses++ >>> 5
        continue
      }
      at = encodeLiteral(copier, literal, next, out, at)
      let end = next + 4
      for (let match = candidate + 4; end < to && bytes[end] === bytes[match]; match++) end++
      at = encodeCopy(out, at, next - candidate, end - next)
      literal = end
      // The position before the end is a likely start of the next match.
      if (end <= last) table[Math.imul(uint32(bytes, end - 1), 0x1e35a7bd) >>> shift] = end - 1 - from
      next = end
      misses = 32
    }
  }
  return encodeLiteral(copier, literal, to, out, at)
}

function encodeLiteral(copier: Copier, from: number, to: number, out: Uint8Array, start: number): number {
  if (from === to) return start
  let at = start
  const count = to - from - 1
  if (count < 60) {
    out[at++] = count << 2
  } else if (count < 256) {
    out[at++] = 60 << 2
    out[at++] = count
  } else {
    out[at++] = 61 << 2
    out[at++] = count
    out[at++] = count >>> 8
  }
  copier.run(from, at, to - from)
  return at + to - from
}

function encodeCopy(out: Uint8Array, start: number, offset: number, length: number): number {
  let at = start
  let left = length
  // Elements hold 64; the last two are cut so that neither is shorter than the 4 of the short form.
  while (left >= 68) {
    at = encodeLongCopy(out, at, offset, 64)
    left -= 64
  }
  if (left > 64) {
    at = encodeLongCopy(out, at, offset, 60)
    left -= 60
  }
  if (left > 11 || offset > 2047) return encodeLongCopy(out, at, offset, left)
  out[at++] = ((offset >>> 8) << 5) | ((left - 4) << 2) | 1
  out[at++] = offset
  return at
}

function encodeLongCopy(out: Uint8Array, at: number, offset: number, length: number): number {
  out[at] = ((length - 1) << 2) | 2
  out[at + 1] = offset
  out[at + 2] = offset >>> 8
  return at + 3
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
