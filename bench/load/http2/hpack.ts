/** Header blocks of HTTP/2 (RFC 7541): all of decoding, and as much of encoding as needs no memory of what went before. */
import { decodeHuffman } from './huffman.ts'
import { ProtocolError } from './protocol-error.ts'
import { STATIC_TABLE } from './static-table.ts'

/** What a decoder remembers at most: the default of SETTINGS_HEADER_TABLE_SIZE. */
const TABLE_BYTES = 4096
/** An entry counts for as much beside its name and value (section 4.1). */
const ENTRY_BYTES = 32
const MOST_INTEGER = 2 ** 28

export type Found = (name: string, value: string) => void

/** Of one direction of one connection. */
export class HpackDecoder {
  /** The newest last. */
  readonly #table: (readonly [name: string, value: string])[] = []
  #tableBytes = 0
  #mostBytes = TABLE_BYTES
  #bytes: Uint8Array = new Uint8Array()
  #at = 0

  /** Calls `found` with every field of a whole block, in order; one character a byte. Throws ProtocolError. */
  decode(block: Uint8Array, found: Found): void {
    this.#bytes = block
    this.#at = 0
    let fields = false
    while (this.#at < block.length) {
      const first = block[this.#at]!
      if (first >= 0x80) {
        const [name, value] = this.#entry(this.#integer(0x7f))
        found(name, value)
      } else if (first >= 0x40) {
        const name = this.#name(0x3f)
        const value = this.#string()
        this.#remember(name, value)
        found(name, value)
      } else if (first >= 0x20) {
        if (fields) throw new ProtocolError('the size of a header table changes in the middle of a block')
        this.#resize(this.#integer(0x1f))
        continue
      } else {
        const name = this.#name(0x0f)
        found(name, this.#string())
      }
      fields = true
    }
  }

  #name(mask: number): string {
    const index = this.#integer(mask)
    return index === 0 ? this.#string() : this.#entry(index)[0]
  }

  #entry(index: number): readonly [name: string, value: string] {
    const entry =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#table[this.#table.length - (index - STATIC_TABLE.length)]
    if (entry === undefined) throw new ProtocolError(`a header field refers to entry ${index} of a table without it`)
    return entry
  }

  #remember(name: string, value: string): void {
    this.#tableBytes += name.length + value.length + ENTRY_BYTES
    this.#table.push([name, value])
    this.#evict()
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES) throw new ProtocolError(`a header table of ${bytes} bytes; ${TABLE_BYTES} are allowed`)
    this.#mostBytes = bytes
    this.#evict()
  }

  #evict(): void {
    while (this.#tableBytes > this.#mostBytes) {
      const [name, value] = this.#table.shift()!
      this.#tableBytes -= name.length + value.length + ENTRY_BYTES
    }
  }

  /** Section 5.1; the first byte's other bits say what it is an integer of. */
  #integer(mask: number): number {
    let value = this.#byte() & mask
    if (value < mask) return value
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (value > MOST_INTEGER) throw new ProtocolError('an integer of a header block is too large')
      if (byte < 0x80) return value
    }
  }

  #string(): string {
    const huffman = (this.#bytes[this.#at] ?? 0) >= 0x80
    const length = this.#integer(0x7f)
    const start = this.#at
    const end = start + length
    if (end > this.#bytes.length) throw new ProtocolError('a header block breaks off')
    this.#at = end
    if (huffman) return decodeHuffman(this.#bytes, start, end)
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString('latin1')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new ProtocolError('a header block breaks off')
    return byte
  }
}

/**
 * A block that means the same at any time: fields of the static table by their number, names of it by theirs, all else as it is.
 * For short fields: neither name nor value has more than 126 bytes.
 */
export function encodeFields(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => encodeField(name, value)))
}

function encodeField(name: string, value: string): Buffer {
  const whole = STATIC_TABLE.findIndex(([known, content]) => known === name && content === value)
  if (whole >= 0) return Buffer.from([0x80 | (whole + 1)])
  const named = STATIC_TABLE.findIndex(([known]) => known === name) + 1
  // Literal without indexing, section 6.2.2.
  const head = named === 0 ? [0, name.length, ...Buffer.from(name, 'latin1')] : named < 15 ? [named] : [15, named - 15]
  return Buffer.from([...head, value.length, ...Buffer.from(value, 'latin1')])
}
