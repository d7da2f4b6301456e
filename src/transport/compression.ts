import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

/** Compressions by the names that headers use. `zlib` is what HTTP calls `deflate`: RFC 9110, section 8.4.1.2. */
export type Encoding = 'gzip' | 'zstd' | 'deflate' | 'zlib'

/** A body that could not be decompressed. */
export class DecompressionError extends Error {
  /** It was fine as far as it was read, but would have grown past the limit. */
  readonly tooLarge: boolean

  constructor(message: string, tooLarge: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DecompressionError'
    this.tooLarge = tooLarge
  }
}

// Below half of Buffer.poolSize zlib would cut its output from Node's shared pool, which cannot be transferred.
const SMALLEST_CHUNK = 8192
const LARGEST_CHUNK = 1 << 20

/**
 * Decompresses in this thread, never to more than `limit` bytes. For bodies of a few hundred KiB this is cheaper than the
 * thread pool: 310 µs against 650 to 1200 for 57 KB of gzip to 372 KB, because the output goes into one chunk of the size
 * that the header announces (541 µs with zlib's 16 KiB chunks). What is announced is only a hint.
 */
export function decompress(encoding: Encoding, bytes: Uint8Array, limit: number): Uint8Array {
  const announced = announcedLength(encoding, bytes)
  // A byte to spare: a chunk that is filled exactly makes zlib allocate another to find the end.
  const chunkSize = Math.min(Math.max(announced + 64, SMALLEST_CHUNK), Math.max(limit, SMALLEST_CHUNK), LARGEST_CHUNK)
  const options = { maxOutputLength: Math.max(limit, 1), chunkSize }
  try {
    const out = decoders[encoding](bytes, options)
    return new Uint8Array(out.buffer, out.byteOffset, out.byteLength)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new DecompressionError(`more than ${limit} bytes`, true, { cause })
    throw new DecompressionError((cause as Error).message, false, { cause })
  }
}

const decoders: Readonly<
  Record<Encoding, (bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Buffer>
> = {
  gzip: zlib.gunzipSync,
  zstd: zlib.zstdDecompressSync,
  deflate: zlib.inflateSync,
  zlib: zlib.inflateSync,
}

/** Bytes after decompression as the data itself claims; a guess where it does not say. */
function announcedLength(encoding: Encoding, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (encoding === 'gzip' && bytes.length >= 18) {
    // ISIZE, the last four bytes of the last member: RFC 1952, section 2.3.1.
    return view.getUint32(bytes.length - 4, true)
  }
  if (encoding === 'zstd' && bytes.length >= 14) {
    // Frame_Content_Size: RFC 8878, section 3.1.1.1.
    const descriptor = bytes[4]!
    const singleSegment = (descriptor & 0x20) !== 0
    const at = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
    switch (descriptor >>> 6) {
      case 0:
        if (singleSegment) return view.getUint8(at)
        break
      case 1:
        return view.getUint16(at, true) + 256
      default:
        return view.getUint32(at, true)
    }
  }
  return bytes.length * 6
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
