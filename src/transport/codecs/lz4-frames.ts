/** LZ4's frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
import { MOST_FRAMES, malformed } from './decompression-error.ts'
import { blockLength, decodeBlock, encodeBlock, maxBlockLength } from './lz4-block.ts'
import { type Output, tooLarge } from './output.ts'
import { xxhash32 } from './xxhash32.ts'

const MAGIC = 0x184d2204
const FIRST_SKIPPABLE = 0x184d2a50
const UNCOMPRESSED = 0x80000000
/** Most bytes of a block, by the code of the descriptor: 4 to 7. */
const BLOCK_LENGTHS = [64 << 10, 256 << 10, 1 << 20, 4 << 20]

/** The frame that is being read: one at a time, so that none is made per request. */
interface Frame {
  at: number
  /** How many have begun. */
  count: number
  blockMax: number
  independent: boolean
  blockChecksum: boolean
  contentChecksum: boolean
  /** As announced; -1 where it is not. */
  contentLength: number
}

const frame: Frame = {
  at: 0,
  count: 0,
  blockMax: 0,
  independent: false,
  blockChecksum: false,
  contentChecksum: false,
  contentLength: -1,
}

/**
 * Exact number of bytes after decompression of all frames, with nothing decoded; throws where the structure is not LZ4's, or
 * for more than `limit`.
 */
export function lz4Length(bytes: Uint8Array, limit: number): number {
  let total = 0
  frame.count = 0
  for (let at = openFrame(bytes, 0); at >= 0; at = openFrame(bytes, frame.at)) {
    let length = 0
    for (let end = blockEnd(bytes, at); end > 0; at = end, end = blockEnd(bytes, at)) {
      const block = measure(bytes, at)
      if (block > frame.blockMax) throw malformed(`the lz4 block at byte ${at} holds more than ${frame.blockMax} bytes`)
      length += block
      if (total + length > limit) throw tooLarge(limit)
    }
    frame.at = at + 4 + (frame.contentChecksum ? 4 : 0)
    if (frame.at > bytes.length) throw cut(bytes)
    if (frame.contentLength >= 0 && frame.contentLength !== length) {
      throw malformed(`the lz4 frame announces ${frame.contentLength} bytes and holds ${length}`)
    }
    total += length
  }
  return total
}

/** Undoes frames that `lz4Length` went over, into an output of the length that it found. */
export function decodeFrames(bytes: Uint8Array, output: Output): void {
  frame.count = 0
  for (let at = openFrame(bytes, 0); at >= 0; at = openFrame(bytes, frame.at)) {
    const start = output.length
    for (let end = blockEnd(bytes, at); end > 0; at = end, end = blockEnd(bytes, at)) {
      const from = at + 4
      const to = frame.blockChecksum ? end - 4 : end
      if (frame.blockChecksum && xxhash32(bytes, from, to) !== uint32(bytes, to)) {
        throw malformed(`the checksum of the lz4 block at byte ${at} does not fit its data`)
      }
      if (uint32(bytes, at) >= UNCOMPRESSED) {
        output.bytes.set(bytes.subarray(from, to), output.length)
        output.length += to - from
      } else {
        const history = frame.independent ? output.length : start
        output.length = decodeBlock(bytes, from, to, output.bytes, output.length, history)
      }
    }
    frame.at = at + 4 + (frame.contentChecksum ? 4 : 0)
    if (frame.contentChecksum && xxhash32(output.bytes, start, output.length) !== uint32(bytes, at + 4)) {
      throw malformed('the checksum of the lz4 frame does not fit its content')
    }
  }
}

/** Reads the head of the next frame with content into `frame`; returns where its first block is, or -1 at the end. */
function openFrame(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < bytes.length) {
    if (++frame.count > MOST_FRAMES) throw malformed(`more than ${MOST_FRAMES} lz4 frames`)
    if (at + 7 > bytes.length) throw cut(bytes)
    const magic = uint32(bytes, at)
    if (magic === MAGIC) return readDescriptor(bytes, at + 4)
    if (magic >>> 4 !== FIRST_SKIPPABLE >>> 4) throw malformed(`no lz4 frame at byte ${at}`)
    if (at + 8 > bytes.length) throw cut(bytes)
    at += 8 + uint32(bytes, at + 4)
    if (at > bytes.length) throw cut(bytes)
  }
  return -1
}

function readDescriptor(bytes: Uint8Array, start: number): number {
  const flags = bytes[start]!
  const sizes = bytes[start + 1]!
  if (flags >>> 6 !== 1) throw malformed(`an lz4 frame of version ${flags >>> 6}`)
  if ((flags & 1) !== 0) throw malformed('the lz4 frame needs a dictionary')
  if ((flags & 2) !== 0 || (sizes & 0x8f) !== 0 || sizes >>> 4 < 4) throw malformed('the lz4 frame header is not valid')
  const announced = (flags & 8) !== 0
  const end = start + 2 + (announced ? 8 : 0)
  if (end >= bytes.length) throw cut(bytes)
  if (((xxhash32(bytes, start, end) >>> 8) & 255) !== bytes[end]) {
    throw malformed('the checksum of the lz4 frame header does not fit it')
  }
  frame.blockMax = BLOCK_LENGTHS[(sizes >>> 4) - 4]!
  frame.independent = (flags & 0x20) !== 0
  frame.blockChecksum = (flags & 0x10) !== 0
  frame.contentChecksum = (flags & 4) !== 0
  frame.contentLength = announced ? uint32(bytes, start + 2) + uint32(bytes, start + 6) * 2 ** 32 : -1
  return end + 1
}

/** Where the block at `at` ends, with its checksum; 0 for the mark that ends the frame. */
function blockEnd(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw cut(bytes)
  const size = uint32(bytes, at)
  if (size === 0) return 0
  const end = at + 4 + (size % UNCOMPRESSED) + (frame.blockChecksum ? 4 : 0)
  if (end > bytes.length) throw cut(bytes)
  return end
}

function measure(bytes: Uint8Array, at: number): number {
  const size = uint32(bytes, at)
  return size >= UNCOMPRESSED ? size - UNCOMPRESSED : blockLength(bytes, at + 4, at + 4 + size)
}

function cut(bytes: Uint8Array): Error {
  return malformed(`the lz4 frame ends at byte ${bytes.length}, before its end`)
}

/** Most bytes that `encodeFrame` takes for `length` bytes. */
export function maxFrameLength(length: number): number {
  return 32 + maxBlockLength(length) + Math.ceil(length / BLOCK_LENGTHS[3]!) * 24
}

/** Makes one frame of `bytes` in `out`, which must have room for `maxFrameLength`. Returns its length. */
export function encodeFrame(bytes: Uint8Array, out: Uint8Array): number {
  // The smallest blocks that do: a reader may set a whole block of memory aside.
  const fitting = BLOCK_LENGTHS.findIndex((length) => bytes.length <= length)
  const code = fitting < 0 ? BLOCK_LENGTHS.length - 1 : fitting
  const blockMax = BLOCK_LENGTHS[code]!
  putUint32(out, 0, MAGIC)
  // Version 1, independent blocks, content length and checksum.
  out[4] = 0x6c
  out[5] = (code + 4) << 4
  putUint32(out, 6, bytes.length)
  putUint32(out, 10, Math.floor(bytes.length / 2 ** 32))
  out[14] = xxhash32(out, 4, 14) >>> 8
  let at = 15
  for (let from = 0; from < bytes.length; from += blockMax) {
    const to = Math.min(from + blockMax, bytes.length)
    let end = encodeBlock(bytes, from, to, out, at + 4)
    let size = end - at - 4
    if (size >= to - from) {
      out.set(bytes.subarray(from, to), at + 4)
      end = at + 4 + to - from
      size = UNCOMPRESSED + to - from
    }
    putUint32(out, at, size)
    at = end
  }
  putUint32(out, at, 0)
  putUint32(out, at + 4, xxhash32(bytes, 0, bytes.length))
  return at + 8
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
