import { isUtf8 } from 'node:buffer'
import { textOf } from './plain-scalar.ts'

const encoder = new TextEncoder()
const HEX = encoder.encode('0123456789abcdef')
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Two-character escapes by byte: `\n` for 10, and so on. */
const SHORT_ESCAPES = new Uint8Array(128)
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
] as const) {
  SHORT_ESCAPES[byte] = letter.charCodeAt(0)
}

/** JSON text as UTF-8 in one growing buffer. What is written can be taken back: `length` may be set to a smaller value. */
export class JsonOutput {
  #bytes: Buffer
  length = 0

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(64, capacity))
  }

  /** What was written, in place: the output is not to be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer as ArrayBuffer, this.#bytes.byteOffset, this.length)
  }

  /** One ASCII character by its code. */
  char(code: number): void {
    this.#reserve(1)
    this.#bytes[this.length++] = code
  }

  /** A short piece of JSON as it is. One by one: for a dozen bytes a call of `set` costs more than the copying. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    const to = this.#bytes
    let at = this.length
    for (let i = 0; i < bytes.length; i++) to[at++] = bytes[i]!
    this.length = at
  }

  /** ASCII text as it is. */
  ascii(text: string): void {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.length++] = text.charCodeAt(i)
  }

  /** A double: NaN and the infinities are strings in OTLP/JSON, as in proto3's. */
  double(value: number): void {
    if (Number.isFinite(value)) this.ascii(Object.is(value, -0) ? '-0' : String(value))
    else this.ascii(`"${value}"`)
  }

  /** `bytes[start, end)` as a string of hexadecimal digits. */
  hex(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 2 + 2)
    const to = this.#bytes
    let at = this.length
    to[at++] = QUOTE
    for (let p = start; p < end; p++) {
      const byte = bytes[p]!
      to[at++] = HEX[byte >> 4]!
      to[at++] = HEX[byte & 15]!
    }
    to[at++] = QUOTE
    this.length = at
  }

  /** `bytes[start, end)` as a string in base64, with padding. */
  base64(bytes: Uint8Array, start: number, end: number): void {
    this.char(QUOTE)
    this.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64'))
    this.char(QUOTE)
  }

  /**
   * `bytes[start, end)`, UTF-8, as a JSON string. The bytes are copied, not decoded: only invalid UTF-8 takes a detour through a
   * JavaScript string, which puts U+FFFD for what it cannot read.
   */
  string(bytes: Uint8Array, start: number, end: number): void {
    // At worst every byte becomes six: a control character without a short escape.
    this.#reserve((end - start) * 6 + 2)
    const to = this.#bytes
    let at = this.length
    let checked = false
    to[at++] = QUOTE
    for (let p = start; p < end; p++) {
      const byte = bytes[p]!
      if (byte >= 0x80) {
        if (!checked) {
          const text = bytes.subarray(start, end)
          if (!isUtf8(text)) {
            const repaired = encoder.encode(textOf(text))
            this.string(repaired, 0, repaired.length)
            return
          }
          checked = true
        }
        to[at++] = byte
      } else if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) to[at++] = byte
      else {
        to[at++] = BACKSLASH
        const short = SHORT_ESCAPES[byte]!
        if (short !== 0) to[at++] = short
        else {
          to[at++] = 0x75 // u00
          to[at++] = 0x30
          to[at++] = 0x30
          to[at++] = HEX[byte >> 4]!
          to[at++] = HEX[byte & 15]!
        }
      }
    }
    to[at++] = QUOTE
    this.length = at
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.length)
    this.#bytes = grown
  }
}
