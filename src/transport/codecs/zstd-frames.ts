import { MOST_FRAMES, malformed } from './decompression-error.ts'

const MAGIC = 0xfd2fb528
const FIRST_SKIPPABLE = 0x184d2a50
const LARGEST_BLOCK = 128 << 10
// What one compressed byte becomes where nothing else is known: see `bound`.
const USUAL_RATIO = 16
const LEAST_GUESS = 64 << 10

/** Reads over the frames of zstd data (RFC 8878, section 3.1) without decoding them. */
export class ZstdFrames {
  readonly #bytes: Uint8Array
  #at = 0
  #count = 0
  /** The frame under the cursor. */
  start = 0
  end = 0
  /** Frame_Content_Size; -1 where the frame does not say. */
  contentLength = 0
  /** Bytes to expect of the frame. */
  expected = 0
  /** Window_Size: what a decoder has to keep of a frame that it cannot write in one go. */
  window = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Moves to the next frame with content; false at the end. Throws where the structure is not zstd's. */
  next(): boolean {
    const bytes = this.#bytes
    while (this.#at < bytes.length) {
      const at = this.#at
      if (++this.#count > MOST_FRAMES) throw malformed(`more than ${MOST_FRAMES} zstd frames`)
      this.#need(at + 4)
      const magic = this.#uint32(at)
      if (magic === MAGIC) {
        this.#frame(at)
        return true
      }
      if (magic >>> 4 !== FIRST_SKIPPABLE >>> 4) throw malformed(`no zstd frame at byte ${at}`)
      this.#need(at + 8)
      const end = at + 8 + this.#uint32(at + 4)
      this.#need(end)
      this.#at = end
    }
    return false
  }

  #frame(start: number): void {
    const bytes = this.#bytes
    this.#need(start + 6)
    const descriptor = bytes[start + 4]!
    if ((descriptor & 0x08) !== 0) throw malformed('a reserved bit of a zstd frame header is set')
    if ((descriptor & 3) !== 0) throw malformed('the zstd frame needs a dictionary')
    const singleSegment = (descriptor & 0x20) !== 0
    const sizeFlag = descriptor >>> 6
    let at = start + 5
    if (!singleSegment) {
      const exponent = bytes[at]! >>> 3
      const base = 2 ** (10 + exponent)
      this.window = base + (base / 8) * (bytes[at]! & 7)
      at++
    }
    const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag
    this.#need(at + sizeBytes)
    this.contentLength =
      sizeBytes === 0
        ? -1
        : sizeBytes === 1
          ? bytes[at]!
          : sizeBytes === 2
            ? (bytes[at]! | (bytes[at + 1]! << 8)) + 256
            : this.#uint32(at) + (sizeBytes === 8 ? this.#uint32(at + 4) * 2 ** 32 : 0)
    if (singleSegment) this.window = this.contentLength
    this.start = start
    this.#blocks(at + sizeBytes, (descriptor & 4) !== 0)
  }

  #blocks(first: number, checksum: boolean): void {
    const bytes = this.#bytes
    let at = first
    let bound = 0
    for (let last = false; !last; ) {
      this.#need(at + 3)
      const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
      last = (header & 1) !== 0
      const type = (header >>> 1) & 3
      const length = header >>> 3
      if (type === 3) throw malformed(`a zstd block of a reserved type at byte ${at}`)
      // Raw and RLE blocks say how long they become; a compressed one does not.
      bound += type === 2 ? LARGEST_BLOCK : length
      at += 3 + (type === 1 ? 1 : length)
      this.#need(at)
    }
    if (checksum) at += 4
    this.#need(at)
    this.end = at
    this.#at = at
    const usual = Math.max((at - this.start) * USUAL_RATIO, LEAST_GUESS)
    this.expected = this.contentLength >= 0 ? this.contentLength : Math.min(bound, usual)
  }

  #need(end: number): void {
    if (end > this.#bytes.length) throw malformed(`the zstd frame ends at byte ${this.#bytes.length}, before its end`)
  }

  #uint32(at: number): number {
    const bytes = this.#bytes
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  }
}
