import * as zlib from 'node:zlib'
import { malformed } from './decompression-error.ts'
import { NativeCodec } from './native-codec.ts'
import { guess, type Output } from './output.ts'

/** `zlib` is RFC 1950, which HTTP calls `deflate`: RFC 9110, section 8.4.1.2. */
export type InflateFormat = 'gzip' | 'zlib'

// No deflate stream grows by more: a match of 258 bytes takes at least two bits.
const GREATEST_RATIO = 1032
const SPARE = new Uint8Array(64)
const { Z_FINISH } = zlib.constants

const streams: Readonly<Record<InflateFormat, () => zlib.Gunzip | zlib.Inflate>> = {
  gzip: () => zlib.createGunzip(),
  zlib: () => zlib.createInflate(),
}
const decoders: Partial<Record<InflateFormat, NativeCodec>> = {}

/** Bytes after decompression, as the data says or as is usual; only a hint. */
export function inflatedLength(format: InflateFormat, bytes: Uint8Array): number {
  if (format !== 'gzip' || bytes.length < 18) return guess(bytes.length)
  // ISIZE, the last four bytes of the last member: RFC 1952, section 2.3.1. Other members may stand before it.
  const at = bytes.length - 4
  const announced = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  return announced <= bytes.length * GREATEST_RATIO ? announced : guess(bytes.length)
}

/** Undoes gzip (all members) or zlib, straight into `output`. False where this Node offers no way to: see `NativeCodec`. */
export function inflate(format: InflateFormat, bytes: Uint8Array, output: Output): boolean {
  const kept = decoders[format]
  const decoder = kept ?? NativeCodec.of(streams[format]())
  if (decoder === undefined) return false
  delete decoders[format]
  kept?.reset()
  try {
    const end = run(decoder, bytes, output)
    refuseRest(format, bytes, end)
  } finally {
    // What failed half-way is made anew.
    if (decoder.error === undefined) decoders[format] = decoder
    else decoder.close()
  }
  return true
}

/** Where the data ended. */
function run(decoder: NativeCodec, bytes: Uint8Array, output: Output): number {
  let at = 0
  for (;;) {
    const { room } = output
    // zlib takes no output of no length, which an announced length of 0 makes.
    if (room > 0) {
      step(decoder, bytes, at, output.bytes, output.length, room)
      at = bytes.length - decoder.unread
      output.length += room - decoder.unfilled
      // Short of the end is an error with Z_FINISH, unless the output is full.
      if (decoder.unfilled > 0) return at
    }
    // Full; at the end as well? A hint that was right must not cost a larger piece of memory.
    step(decoder, bytes, at, SPARE, 0, SPARE.length)
    at = bytes.length - decoder.unread
    const more = SPARE.length - decoder.unfilled
    if (more > 0) {
      output.grow(Math.ceil(((output.length + more) * bytes.length * 1.125) / at))
      // The limit may end a few bytes further on.
      if (more > output.room) output.grow(output.length + more)
      output.bytes.set(SPARE.subarray(0, more), output.length)
      output.length += more
    }
    if (decoder.unfilled > 0) return at
  }
}

function step(decoder: NativeCodec, bytes: Uint8Array, at: number, to: Uint8Array, toAt: number, room: number): void {
  decoder.step(Z_FINISH, bytes, at, to, toAt, room)
  if (decoder.error !== undefined) throw malformed(decoder.error)
}

/** What stands behind the end would be lost in silence; zeros after gzip are the padding that its section 2.2 knows. */
function refuseRest(format: InflateFormat, bytes: Uint8Array, end: number): void {
  let at = end
  if (format === 'gzip') while (at < bytes.length && bytes[at] === 0) at++
  if (at < bytes.length) throw malformed(`${bytes.length - at} bytes after the end`)
}
