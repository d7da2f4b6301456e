import * as zlib from 'node:zlib'
import { malformed } from './decompression-error.ts'
import { NativeCodec } from './native-codec.ts'
import { type Output, tooLarge } from './output.ts'
import { ZstdFrames } from './zstd-frames.ts'

const { ZSTD_e_end } = zlib.constants
/** A decoder that had to keep more than this beside its output is not kept. */
const LARGEST_WINDOW_KEPT = 8 << 20

let kept: NativeCodec | undefined

/**
 * Bytes after decompression of all frames: exact where they say so, as most do, and else a hint. Data whose frames announce more than
 * the limit, or whose structure is not zstd's, is refused here.
 */
export function zstdLength(bytes: Uint8Array, limit: number): number {
  const frames = new ZstdFrames(bytes)
  let announced = 0
  let expected = 0
  while (frames.next()) {
    announced += Math.max(frames.contentLength, 0)
    expected += frames.expected
    if (announced > limit) throw tooLarge(limit)
  }
  return expected
}

/** Undoes zstd, all frames, straight into `output`. False where this Node offers no way to: see `NativeCodec`. */
export function unzstd(bytes: Uint8Array, output: Output): boolean {
  const decoder = kept ?? NativeCodec.of(zlib.createZstdDecompress())
  if (decoder === undefined) return false
  kept = undefined
  let keep = false
  try {
    keep = run(decoder, bytes, output)
  } finally {
    if (keep) kept = decoder
    else decoder.close()
  }
  return true
}

/** Whether the decoder is as small as before. */
function run(decoder: NativeCodec, bytes: Uint8Array, output: Output): boolean {
  const frames = new ZstdFrames(bytes)
  let keep = true
  while (frames.next()) {
    // What fits into its output at once needs no window.
    if (frames.window > LARGEST_WINDOW_KEPT && frames.contentLength < 0) keep = false
    const input = frames.end === bytes.length ? bytes : bytes.subarray(0, frames.end)
    let at = frames.start
    for (;;) {
      const { room } = output
      decoder.step(ZSTD_e_end, input, at, output.bytes, output.length, room)
      if (decoder.error !== undefined) throw malformed(decoder.error)
      at = input.length - decoder.unread
      output.length += room - decoder.unfilled
      // The decoder holds the last byte of a frame back until all of its output is written.
      if (at === input.length) break
      if (decoder.unfilled > 0) throw malformed(`the zstd frame ends ${decoder.unread} bytes before its blocks do`)
      output.grow(Math.ceil((output.length * bytes.length * 1.125) / Math.max(at, 1)))
    }
  }
  return keep
}
