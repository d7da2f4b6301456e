/** An attribute key prepared for matching: its UTF-8 bytes. Interned, so the same text gives the same object. */
export class Key {
  static readonly #interned = new Map<string, Key>()
  readonly text: string
  readonly bytes: Uint8Array

  private constructor(text: string) {
    this.text = text
    this.bytes = new TextEncoder().encode(text)
  }

  static of(text: string): Key {
    let key = Key.#interned.get(text)
    if (key === undefined) {
      key = new Key(text)
      Key.#interned.set(text, key)
    }
    return key
  }
}
