import type { ByteRange } from '../../src/otlp/cursors.ts'

/** Texts to compare with names where they stand: UTF-8 by length, so that most names differ before a byte is read. */
export class TextSet {
  readonly #byLength = new Map<number, Uint8Array[]>()

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text)
      const others = this.#byLength.get(bytes.length)
      if (others === undefined) this.#byLength.set(bytes.length, [bytes])
      else others.push(bytes)
    }
  }

  has(range: ByteRange): boolean {
    const candidates = this.#byLength.get(range.end - range.start)
    return candidates?.some((bytes) => equal(range, bytes)) ?? false
  }

  hasText(text: string): boolean {
    const buffer = new TextEncoder().encode(text)
    return this.has({ buffer, start: 0, end: buffer.length })
  }
}

/** Whether the range holds exactly these bytes. */
export function equal(range: ByteRange, bytes: Uint8Array): boolean {
  const { buffer, start, end } = range
  if (end - start !== bytes.length) return false
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false
  return true
}
