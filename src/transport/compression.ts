import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { arenas } from '../otlp/arena.ts'
import { inflate, inflatedLength } from './codecs/inflate.ts'
import * as lz4 from './codecs/lz4-frames.ts'
import { Output } from './codecs/output.ts'
import { publicInflate, publicUnzstd } from './codecs/public-zlib.ts'
import { SmallBodies } from './codecs/small-bodies.ts'
import * as snappy from './codecs/snappy-block.ts'
import * as snappyFrames from './codecs/snappy-frames.ts'
import { unzstd, zstdLength } from './codecs/zstd.ts'

/**
 * Compressions by the names that HTTP's headers use. `deflate` and `zlib` are both RFC 1950 (RFC 9110, section 8.4.1.2); `snappy` is a
 * block or, when read, also a stream of chunks, which is what older Collectors send under that name; `x-snappy-framed` is the
 * stream alone.
 */
export type Encoding = 'gzip' | 'zstd' | 'deflate' | 'zlib' | 'snappy' | 'x-snappy-framed' | 'lz4'

export interface DecompressOptions {
  /** Most bytes that may come out. */
  readonly limit: number
  /**
   * Asked before each piece of memory is taken, for the bytes that it is larger than the one before: false refuses, and the
   * call throws `no_room`. What was granted is the caller's to give back, whatever comes of the call.
   */
  readonly reserve?: (bytes: number) => boolean
}

/**
 * Decompresses in this thread, into pooled memory that the caller releases to `arenas`. Throws a `DecompressionError`; nothing is
 * kept then. For bodies of a few hundred KiB this is cheaper than the thread pool: 310 µs against 650 to 1200 for 57 KB of
 * gzip to 372 KB, where the output goes into one piece of the size that the data announces. What is announced is only a hint:
 * a hundred bytes that claim to be four gigabytes get what a hundred bytes can become.
 */
export function decompress(encoding: Encoding, bytes: Uint8Array, options: DecompressOptions): Uint8Array {
  const { limit, reserve } = options
  const output = new Output(expectedLength(encoding, bytes, limit), limit, reserve)
  try {
    decode(encoding, bytes, output, limit)
    return output.take()
  } catch (error) {
    output.discard()
    throw error
  }
}

/** Bytes to expect: exact for snappy and lz4, whose structure tells it without decoding, and for most zstd; else a hint. */
function expectedLength(encoding: Encoding, bytes: Uint8Array, limit: number): number {
  switch (encoding) {
    case 'gzip':
      return inflatedLength('gzip', bytes)
    case 'zlib':
    case 'deflate':
      return inflatedLength('zlib', bytes)
    case 'zstd':
      return zstdLength(bytes, limit)
    case 'lz4':
      return lz4.lz4Length(bytes, limit)
    case 'snappy':
      return snappyFrames.isFramed(bytes) ? snappyFrames.framedLength(bytes, limit) : snappy.blockLength(bytes, limit)
    case 'x-snappy-framed':
      return snappyFrames.framedLength(bytes, limit)
  }
}

function decode(encoding: Encoding, bytes: Uint8Array, output: Output, limit: number): void {
  switch (encoding) {
    case 'gzip':
      if (!inflate('gzip', bytes, output)) publicInflate('gzip', bytes, output, limit)
      return
    case 'zlib':
    case 'deflate':
      if (!inflate('zlib', bytes, output)) publicInflate('zlib', bytes, output, limit)
      return
    case 'zstd':
      if (!unzstd(bytes, output)) publicUnzstd(bytes, output, limit)
      return
    case 'lz4':
      lz4.decodeFrames(bytes, output)
      return
    case 'snappy':
      if (snappyFrames.isFramed(bytes)) snappyFrames.decodeFrames(bytes, output)
      else snappy.decodeWhole(bytes, output)
      return
    case 'x-snappy-framed':
      snappyFrames.decodeFrames(bytes, output)
  }
}

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const deflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflate)
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)

// The way to the thread pool and back costs 30 to 50 µs; gzip-1 of this many bytes costs as much.
const POOL_FROM_BYTES = 8192

/**
 * The chunks, laid end to end, compressed; in the thread pool where it pays. `level` is the format's own; 1 where it is absent: gzip at
 * level 6 costs three times as much for a seventh less. Of gzip, zlib and deflate -1 is zlib's usual level and -2 Huffman
 * coding alone; zstd's are 1 to 22, and those outside stand for the nearest. snappy and lz4 have none.
 */
export async function compress(encoding: Encoding, chunks: readonly Uint8Array[], level = 1): Promise<Uint8Array> {
  const bytes = chunks.length === 1 ? chunks[0]! : pooled(chunks)
  try {
    return await compressed(encoding, bytes, level)
  } finally {
    if (chunks.length !== 1) arenas.release(bytes)
  }
}

async function compressed(encoding: Encoding, bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const small = bytes.length < POOL_FROM_BYTES
  switch (encoding) {
    case 'gzip':
      return (small ? encoderOf('gzip', level).compress(bytes) : undefined) ?? (await gzip(bytes, zlibOptions(level)))
    case 'zlib':
    case 'deflate':
      return (
        (small ? encoderOf('zlib', level).compress(bytes) : undefined) ?? (await deflate(bytes, zlibOptions(level)))
      )
    case 'zstd': {
      const kept = small ? encoderOf('zstd', level).compress(bytes) : undefined
      // Without its length the frame announces none, and a reader has to guess.
      return kept ?? (await zstd(bytes, { ...zstdOptions(level), pledgedSrcSize: bytes.length }))
    }
    case 'snappy':
      return trimmed(snappy.maxBlockLength(bytes.length), (out) => snappy.encodeBlock(bytes, 0, bytes.length, out, 0))
    case 'x-snappy-framed':
      return trimmed(snappyFrames.maxFramedLength(bytes.length), (out) => snappyFrames.encodeFrames(bytes, out))
    case 'lz4':
      return trimmed(lz4.maxFrameLength(bytes.length), (out) => lz4.encodeFrame(bytes, out))
  }
}

/** By format and level, of which a configuration has few. */
const encoders = new Map<string, SmallBodies>()

function encoderOf(kind: 'gzip' | 'zlib' | 'zstd', level: number): SmallBodies {
  const name = `${kind} ${level}`
  let encoder = encoders.get(name)
  if (encoder === undefined) {
    encoder = kind === 'zstd' ? SmallBodies.zstd(zstdOptions(level)) : SmallBodies[kind](zlibOptions(level))
    encoders.set(name, encoder)
  }
  return encoder
}

function zstdOptions(level: number): zlib.ZstdOptions {
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: Math.min(Math.max(level, 1), 22) } }
}

function zlibOptions(level: number): zlib.ZlibOptions {
  return level === -2 ? { strategy: zlib.constants.Z_HUFFMAN_ONLY } : { level }
}

/** What `encode` writes, in memory of its own length: the worst case that it needs room for is rare. */
function trimmed(room: number, encode: (out: Uint8Array) => number): Uint8Array {
  const out = arenas.take(room)
  try {
    return Buffer.copyBytesFrom(out, 0, encode(out))
  } finally {
    arenas.release(out)
  }
}

/** The chunks as one, in pooled memory that the caller releases to `arenas`. */
export function pooled(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const out = arenas.take(length)
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

/** The chunks as one; the chunk itself where there is only one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const out = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}
