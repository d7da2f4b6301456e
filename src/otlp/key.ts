import type { EncodedValue } from './cursors.ts'
import { Writer } from './encode.ts'

/** The content of a KeyValue; `view` is over the whole of `buffer`. */
export interface EncodedPair {
  readonly buffer: Buffer
  readonly view: DataView
}

function encodePair(key: Uint8Array, value: EncodedValue): EncodedPair {
  const writer = new Writer(key.length + value.length + 12)
  writer.bytes(1, key)
  writer.bytes(2, value)
  const { buffer, byteLength } = writer.finish()
  return { buffer: Buffer.from(buffer, 0, byteLength), view: new DataView(buffer) }
}

/**
 * An attribute key prepared for matching: its UTF-8 bytes and a signature that tells most other keys apart without
 * looking at them. Interned, so the same text gives the same object.
 */
export class Key {
  static readonly #interned = new Map<string, Key>()
  readonly text: string
  readonly bytes: Uint8Array
  /** `signatureOf` these bytes: equal keys have equal signatures, unequal ones mostly not. */
  readonly signature: number

  #value: EncodedValue | undefined
  #pair: EncodedPair | undefined

  private constructor(text: string) {
    this.text = text
    this.bytes = new TextEncoder().encode(text)
    this.signature = signatureOf(this.bytes, 0, this.bytes.length)
  }

  static of(text: string): Key {
    let key = Key.#interned.get(text)
    if (key === undefined) {
      key = new Key(text)
      Key.#interned.set(text, key)
    }
    return key
  }

  /**
   * The KeyValue of this key and `value`, encoded; undefined until the same value has come twice in a row. Processors set
   * the same few constants on every record, and copying one range instead of four saves a tenth of an edit (bench/wire, `edit`).
   */
  pairWith(value: EncodedValue): EncodedPair | undefined {
    if (value !== this.#value) {
      this.#value = value
      this.#pair = undefined
      return undefined
    }
    this.#pair ??= encodePair(this.bytes, value)
    return this.#pair
  }

  /** Whether `buffer[start, end)` spells this key. */
  equals(buffer: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this
    if (end - start !== bytes.length) return false
    for (let i = bytes.length - 1; i >= 0; i--) {
      if (buffer[start + i] !== bytes[i]) return false
    }
    return true
  }
}

/**
 * Length and three sampled bytes in one small integer. Keys share prefixes (`http.`, `db.`), so the samples come from
 * the end and the middle; a hash over every byte costs three times as much and saves no comparison worth having.
 */
export function signatureOf(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length === 0) return 0
  const middle = buffer[start + (length >> 1)]!
  const nearEnd = buffer[end - 1 - (length >> 2)]!
  return ((length & 0x7f) << 24) | (nearEnd << 16) | (middle << 8) | buffer[end - 1]!
}
