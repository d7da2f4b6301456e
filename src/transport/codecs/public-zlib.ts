import * as zlib from 'node:zlib'
import { DecompressionError, malformed } from './decompression-error.ts'
import type { InflateFormat } from './inflate.ts'
import type { Output } from './output.ts'
import { ZstdFrames } from './zstd-frames.ts'

/**
 * The same by node:zlib's public functions alone: the plain way, for a Node whose streams `NativeCodec` cannot drive, and the
 * oracle of the tests. Output that outgrows what was granted is decoded again from the start.
 */
export function publicInflate(format: InflateFormat, bytes: Uint8Array, output: Output, limit: number): void {
  // Of gzip the option would refuse a second member as well; what is no member is an error without it.
  if (format === 'gzip') append(zlib.gunzipSync, bytes, output, limit)
  else append(strictInflate, bytes, output, limit)
}

/** `zstdDecompressSync` stops after the first frame in silence, so each is handed to it alone. */
export function publicUnzstd(bytes: Uint8Array, output: Output, limit: number): void {
  const frames = new ZstdFrames(bytes)
  while (frames.next()) append(zlib.zstdDecompressSync, bytes.subarray(frames.start, frames.end), output, limit)
}

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer

const strictInflate: Decode = (bytes, options) => zlib.inflateSync(bytes, { ...options, rejectGarbageAfterEnd: true })

function append(decode: Decode, bytes: Uint8Array, output: Output, limit: number): void {
  for (;;) {
    try {
      const part = decode(bytes, { maxOutputLength: Math.max(output.room, 1) })
      if (part.length > output.room) output.grow(output.length + part.length)
      output.bytes.set(part, output.length)
      output.length += part.length
      return
    } catch (cause) {
      if (cause instanceof DecompressionError) throw cause
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw malformed((cause as Error).message)
      output.grow(Math.min(output.bytes.length * 2, limit))
    }
  }
}
