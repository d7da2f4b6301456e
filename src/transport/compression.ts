import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { inflate, inflatedLength } from './codecs/inflate.ts'
import { Output } from './codecs/output.ts'
import { publicInflate, publicUnzstd } from './codecs/public-zlib.ts'
import { unzstd, zstdLength } from './codecs/zstd.ts'

/** Compressions by the names that headers use. `zlib` is what HTTP calls `deflate`: RFC 9110, section 8.4.1.2. */
export type Encoding = 'gzip' | 'zstd' | 'deflate' | 'zlib'

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
  const expected = encoding === 'zstd' ? zstdLength(bytes, limit) : inflatedLength(formatOf(encoding), bytes)
  const output = new Output(expected, limit, reserve)
  try {
    if (encoding === 'zstd') {
      if (!unzstd(bytes, output)) publicUnzstd(bytes, output, limit)
    } else {
      const format = formatOf(encoding)
      if (!inflate(format, bytes, output)) publicInflate(format, bytes, output, limit)
    }
    return output.take()
  } catch (error) {
    output.discard()
    throw error
  }
}

function formatOf(encoding: 'gzip' | 'deflate' | 'zlib'): 'gzip' | 'zlib' {
  return encoding === 'gzip' ? 'gzip' : 'zlib'
}

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const deflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflate)
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)

// The way to the thread pool and back costs 30 to 50 µs; gzip-1 of this many bytes costs as much.
const POOL_FROM_BYTES = 8192

/**
 * The chunks, laid end to end, compressed; in the thread pool where it pays. `level` is the format's own; 1 where it is absent: gzip at
 * level 6 costs three times as much for a seventh less.
 */
export async function compress(encoding: Encoding, chunks: readonly Uint8Array[], level = 1): Promise<Uint8Array> {
  const bytes = joined(chunks)
  const pool = bytes.length >= POOL_FROM_BYTES
  switch (encoding) {
    case 'gzip':
      return pool ? await gzip(bytes, { level }) : zlib.gzipSync(bytes, { level })
    case 'zstd': {
      const options = { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } }
      return pool ? await zstd(bytes, options) : zlib.zstdCompressSync(bytes, options)
    }
    default:
      return pool ? await deflate(bytes, { level }) : zlib.deflateSync(bytes, { level })
  }
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
