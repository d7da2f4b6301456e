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
