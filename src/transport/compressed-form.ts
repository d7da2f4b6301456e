import { ZstdFrames } from './codecs/zstd-frames.ts'
import type { Encoding } from './compression.ts'

/** How bytes came over the wire before they were decompressed. */
export interface CompressedForm {
  readonly encoding: Encoding
  readonly bytes: Uint8Array
}

/** Decoders need not take more: RFC 8878, section 3.1.1.1.2. */
const LARGEST_ZSTD_WINDOW = 8 << 20

/**
 * The compressed forms of bodies that are under way, by the very object that a body is: what is edited, joined or split is
 * another one and has none. So a request that nobody touched leaves as it came, and is compressed by nobody. The memory of a form is
 * its reservation's: whoever needs it for longer than the delivery is unsettled retains it.
 */
const forms = new WeakMap<Uint8Array, CompressedForm>()

/** `body` in this encoding, as it came; undefined where that is not known, or any more. */
export function compressedForm(body: Uint8Array, encoding: Encoding): Uint8Array | undefined {
  const form = forms.get(body)
  return form?.encoding === encoding ? form.bytes : undefined
}

/** Says how `body` came. */
export function rememberForm(body: Uint8Array, form: CompressedForm): void {
  forms.set(body, form)
}

/** Nobody may use the form any more. */
export function forgetForm(body: Uint8Array): void {
  forms.delete(body)
}

/**
 * Whether every decoder gets the `length` bytes out of `compressed` that ours did. Several servers read only the first member or frame
 * of a body and lose the rest in silence, so it has to be one; and of formats only those that decoders agree about.
 */
export function passesAsItIs({ encoding, bytes }: CompressedForm, length: number): boolean {
  if (encoding === 'gzip') return isOneMember(bytes, length)
  if (encoding !== 'zstd') return false
  const frames = new ZstdFrames(bytes)
  return frames.next() && frames.window <= LARGEST_ZSTD_WINDOW && !frames.next()
}

/**
 * ISIZE, which ends the last member, says how long that one is: all of it only where those before it are empty. RFC 1952, section 2.3.
 * So the first may not be empty, as far as that is seen without decoding: a header of the usual length, then a first block that is not.
 */
function isOneMember(bytes: Uint8Array, length: number): boolean {
  if (bytes.length < 18 || length === 0 || bytes[3] !== 0) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return !beginsEmpty(bytes, 10) && view.getUint32(bytes.length - 4, true) === length
}

/** Whether the deflate stream at `at` begins with an empty block, stored or in fixed codes. RFC 1951, section 3.2.3. */
function beginsEmpty(bytes: Uint8Array, at: number): boolean {
  const type = (bytes[at]! >>> 1) & 3
  if (type === 0) return bytes[at + 1] === 0 && bytes[at + 2] === 0
  // The end of a block is seven zero bits.
  return type === 1 && bytes[at]! >>> 3 === 0 && (bytes[at + 1]! & 3) === 0
}
