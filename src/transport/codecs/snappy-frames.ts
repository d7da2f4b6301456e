/** Snappy's stream of chunks: https://github.com/google/snappy/blob/main/framing_format.txt */
import { crc32c } from './crc32c.ts'
import { MOST_FRAMES, malformed } from './decompression-error.ts'
import { type Output, tooLarge } from './output.ts'
import { decodeBlock, encodeBlock, maxBlockLength, preamble, readPreamble } from './snappy-block.ts'

const STREAM_HEADER = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)
/** Most bytes that a chunk holds when decompressed. */
const CHUNK = 1 << 16
const COMPRESSED = 0x00
const UNCOMPRESSED = 0x01
/** From here on a reader may leave out what it does not know. */
const FIRST_SKIPPABLE = 0x80
const STREAM_IDENTIFIER = 0xff
/** A chunk's type and length, and the checksum that data has in front. */
const HEAD = 4
const CHECKSUM = 4

/** True where the bytes begin as a stream of chunks does. No block that anybody makes begins so. */
export function isFramed(bytes: Uint8Array): boolean {
  if (bytes.length < STREAM_HEADER.length) return false
  for (let i = 0; i < STREAM_HEADER.length; i++) if (bytes[i] !== STREAM_HEADER[i]) return false
  return true
}

/** Exact number of bytes after decompression; throws where the structure is not that of chunks, or for more than `limit`. */
export function framedLength(bytes: Uint8Array, limit: number): number {
  // The Collector's writer sends nothing at all for nothing.
  if (bytes.length > 0 && !isFramed(bytes)) throw malformed('the snappy stream does not begin with its identifier')
  let length = 0
  let empty = 0
  for (let at = 0; at < bytes.length; at = chunkEnd(bytes, at)) {
    const held = chunkLength(bytes, at)
    if (held === 0 && ++empty > MOST_FRAMES) throw malformed(`more than ${MOST_FRAMES} snappy chunks that hold nothing`)
    length += held
    if (length > limit) throw tooLarge(limit)
  }
  return length
}

/** Undoes a stream that `framedLength` went over, into an output of the length that it found. */
export function decodeFrames(bytes: Uint8Array, output: Output): void {
  for (let at = 0; at < bytes.length; at = chunkEnd(bytes, at)) {
    const length = chunkLength(bytes, at)
    const type = bytes[at]!
    if (type > UNCOMPRESSED) continue
    const from = at + HEAD + CHECKSUM
    const start = output.length
    if (type === UNCOMPRESSED) {
      output.bytes.set(bytes.subarray(from, from + length), start)
    } else {
      const to = chunkEnd(bytes, at)
      readPreamble(bytes, from, to)
      decodeBlock(bytes, from + preamble.bytes, to, output.bytes, start, start + length)
    }
    output.length += length
    const expected = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0
    if (masked(crc32c(output.bytes, start, output.length)) !== expected) {
      throw malformed(`the checksum of the snappy chunk at byte ${at} does not fit its data`)
    }
  }
}

function chunkEnd(bytes: Uint8Array, at: number): number {
  return at + HEAD + (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16))
}

/** Bytes that the chunk adds to the output, once its head was found good. */
function chunkLength(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < HEAD) throw malformed(`the snappy stream ends within the head of the chunk at byte ${at}`)
  const end = chunkEnd(bytes, at)
  const type = bytes[at]!
  if (end > bytes.length) throw malformed(`the snappy stream ends within the chunk at byte ${at}`)
  if (type > UNCOMPRESSED) {
    if (type < FIRST_SKIPPABLE) throw malformed(`the snappy chunk at byte ${at} is of the unknown type ${type}`)
    if (type === STREAM_IDENTIFIER && !isFramed(bytes.subarray(at, end))) {
      throw malformed(`the snappy stream identifier at byte ${at} is not one`)
    }
    return 0
  }
  const from = at + HEAD + CHECKSUM
  if (from > end) throw malformed(`the snappy chunk at byte ${at} is too short for a checksum`)
  let length = end - from
  if (type === COMPRESSED) {
    readPreamble(bytes, from, end)
    length = preamble.length
  }
  if (length > CHUNK) throw malformed(`the snappy chunk at byte ${at} holds ${length} bytes, more than ${CHUNK}`)
  return length
}

/** Most bytes that a stream of `length` bytes takes. */
export function maxFramedLength(length: number): number {
  const chunks = Math.ceil(length / CHUNK)
  // A chunk that compression would not make smaller stands uncompressed, but is tried first.
  return STREAM_HEADER.length + length + chunks * (HEAD + CHECKSUM) + maxBlockLength(CHUNK) - CHUNK
}

/** Makes a stream of `bytes` in `out`, which must have room for `maxFramedLength`. Returns its length. */
export function encodeFrames(bytes: Uint8Array, out: Uint8Array): number {
  out.set(STREAM_HEADER)
  let at = STREAM_HEADER.length
  for (let from = 0; from < bytes.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, bytes.length)
    const data = at + HEAD + CHECKSUM
    let end = encodeBlock(bytes, from, to, out, data)
    let type = COMPRESSED
    // Less than an eighth saved is not worth its decoding.
    if (end - data >= to - from - ((to - from) >>> 3)) {
      type = UNCOMPRESSED
      out.set(bytes.subarray(from, to), data)
      end = data + to - from
    }
    const length = end - data + CHECKSUM
    const checksum = masked(crc32c(bytes, from, to))
    out[at] = type
    out[at + 1] = length
    out[at + 2] = length >>> 8
    out[at + 3] = length >>> 16
    out[at + 4] = checksum
    out[at + 5] = checksum >>> 8
    out[at + 6] = checksum >>> 16
    out[at + 7] = checksum >>> 24
    at = end
  }
  return at
}

/** Section 3 of the format: a checksum of data that holds checksums is a poor one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
