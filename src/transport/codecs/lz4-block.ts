/** LZ4's block: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
import { Copier } from './copier.ts'
import { malformed } from './decompression-error.ts'

const SHORTEST_MATCH = 4
/** The end of a block that is literal, and the end in which no match may begin. */
const LAST_LITERALS = 5
const LAST_MATCH_MARGIN = 12
const FARTHEST = 0xffff
const TABLE_BITS = 14

/** Bytes that the block in `bytes[from, to)` becomes; reads over its sequences without decoding them. */
export function blockLength(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  let length = 0
  for (;;) {
    if (at >= to) throw broken(at)
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more: number
      do {
        if (at >= to) throw broken(at)
        more = bytes[at++]!
        literals += more
      } while (more === 255)
    }
    at += literals
    length += literals
    // The last sequence has literals only.
    if (at === to) return length
    at += 2
    if (at > to) throw broken(to)
    let match = token & 15
    if (match === 15) {
      let more: number
      do {
        if (at >= to) throw broken(at)
        more = bytes[at++]!
        match += more
      } while (more === 255)
    }
    length += match + SHORTEST_MATCH
  }
}

/**
 * Decodes a block that `blockLength` went over into `out` at `start`, and returns the end. Matches may begin at `history` or later: the
 * block's own start, or the frame's where blocks are linked.
 */
export function decodeBlock(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  history: number,
): number {
  const copier = new Copier(bytes, out)
  let at = from
  let written = start
  for (;;) {
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more: number
      do {
        more = bytes[at++]!
        literals += more
      } while (more === 255)
    }
    copier.run(at, written, literals)
    at += literals
    written += literals
    if (at >= to) return written
    const offset = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    let match = token & 15
    if (match === 15) {
      let more: number
      do {
        more = bytes[at++]!
        match += more
      } while (more === 255)
    }
    match += SHORTEST_MATCH
    if (offset === 0 || offset > written - history) throw broken(at)
    copier.match(written, offset, match)
    written += match
  }
}

function broken(at: number): Error {
  return malformed(`the lz4 block is broken at byte ${at}`)
}

/** Most bytes that a block of `length` bytes takes. */
export function maxBlockLength(length: number): number {
  return length + Math.floor(length / 255) + 16
}

const table = new Int32Array(1 << TABLE_BITS)

/** Encodes `bytes[from, to)` into `out` at `start`; there must be room for `maxBlockLength`. Returns the end. */
export function encodeBlock(bytes: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  const copier = new Copier(bytes, out)
  let at = start
  let literal = from
  const last = to - LAST_MATCH_MARGIN
  if (last > from) {
    // Positions are held plus one, from the block's start: 0 is none.
    table.fill(0)
    const matchEnd = to - LAST_LITERALS
    let next = from
    let misses = 64
    while (next <= last) {
      const word = uint32(bytes, next)
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS)
      const candidate = table[slot]! - 1 + from
      table[slot] = next - from + 1
      if (candidate < from || next - candidate > FARTHEST || uint32(bytes, candidate) !== word) {
        // Longer steps where nothing was found for long: data that does not compress costs little.
        next += misses++ >>> 6
        continue
      }
      let end = next + SHORTEST_MATCH
      for (let match = candidate + SHORTEST_MATCH; end < matchEnd && bytes[end] === bytes[match]; match++) end++
      at = encodeSequence(copier, literal, next, out, at, next - candidate, end - next)
      literal = end
      next = end
      misses = 64
    }
  }
  return encodeSequence(copier, literal, to, out, at, 0, SHORTEST_MATCH)
}

/** The literals `bytes[from, to)` and a match; offset 0 for none. */
function encodeSequence(
  copier: Copier,
  from: number,
  to: number,
  out: Uint8Array,
  start: number,
  offset: number,
  length: number,
): number {
  const literals = to - from
  const match = length - SHORTEST_MATCH
  let at = start
  out[at++] = (Math.min(literals, 15) << 4) | Math.min(match, 15)
  if (literals >= 15) at = encodeRest(out, at, literals - 15)
  copier.run(from, at, literals)
  at += literals
  if (offset === 0) return at
  out[at++] = offset
  out[at++] = offset >>> 8
  return match >= 15 ? encodeRest(out, at, match - 15) : at
}

function encodeRest(out: Uint8Array, start: number, rest: number): number {
  let at = start
  let left = rest
  for (; left >= 255; left -= 255) out[at++] = 255
  out[at++] = left
  return at
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
