import type { EncodedValue, PlainValue } from './cursors.ts'
import { WIRE } from './schema.ts'

const utf8 = new TextEncoder()

/**
 * Writes protobuf messages into one growing buffer that is reused: `reset`, write, `finish`. Fields appear in the order of
 * the calls. For what the engine makes itself (generator, responses, values that are set); edits of what came in never pass here.
 *
 * Values equal to proto3's default are written like any other: leaving them out is the caller's choice.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(Math.max(16, capacity))
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  reset(): void {
    this.#length = 0
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire)
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  /** The low 64 bits, two's complement: right for int64, uint64 and negative enums. */
  varint64(value: bigint): void {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, value)
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  /** A field of type uint32, uint64, bool (0 or 1) or a non-negative enum or int. */
  uint(field: number, value: number): void {
    this.tag(field, WIRE.VARINT)
    this.varint(value)
  }

  /** A field of type sint32. */
  sint(field: number, value: number): void {
    this.uint(field, value < 0 ? -value * 2 - 1 : value * 2)
  }

  fixed32(field: number, value: number): void {
    this.tag(field, WIRE.FIXED32)
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  /** A field of type fixed64 or sfixed64; the low 64 bits of the value. */
  fixed64(field: number, value: bigint): void {
    this.tag(field, WIRE.FIXED64)
    this.rawFixed64(value)
  }

  double(field: number, value: number): void {
    this.tag(field, WIRE.FIXED64)
    this.rawDouble(value)
  }

  /** Eight bytes without a tag: an element of a packed field. */
  rawFixed64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true)
    this.#length += 8
  }

  /** Eight bytes without a tag: an element of a packed field. */
  rawDouble(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  string(field: number, value: string): void {
    const mark = this.begin(field)
    this.#reserve(value.length * 3)
    if (!this.#ascii(value)) this.#length += utf8.encodeInto(value, this.#bytes.subarray(this.#length)).written
    this.end(mark)
  }

  /**
   * False, and nothing written, where `value` is long or has other characters. A call of `encodeInto` and the window it needs cost
   * more than copying a hundred characters one by one, and keys and values are shorter.
   */
  #ascii(value: string): boolean {
    if (value.length > 100) return false
    const start = this.#length
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 127) return false
      this.#bytes[start + i] = code
    }
    this.#length += value.length
    return true
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, WIRE.LEN)
    this.varint(value.byteLength)
    this.raw(value)
  }

  /** Bytes as they are, without tag and length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.byteLength)
    this.#bytes.set(value, this.#length)
    this.#length += value.byteLength
  }

  /**
   * Opens a length-delimited field (a message or a packed list); hand the result to `end` when its content is written.
   * The content moves when its length takes more than one byte: at most once for every message around it.
   */
  begin(field: number): number {
    this.tag(field, WIRE.LEN)
    this.#reserve(1)
    return this.#length++
  }

  end(mark: number): void {
    const start = mark + 1
    const length = this.#length - start
    let rest = length
    let extra = 0
    for (; rest > 127; rest >>>= 7) extra++
    if (extra > 0) {
      this.#reserve(extra)
      this.#bytes.copyWithin(start + extra, start, this.#length)
      this.#length += extra
    }
    rest = length
    let at = mark
    for (; rest > 127; rest >>>= 7) this.#bytes[at++] = (rest & 127) | 128
    this.#bytes[at] = rest
  }

  /** The body of an AnyValue: a bigint is an int, a number a double. */
  anyValue(value: PlainValue): void {
    if (value === undefined) return
    if (typeof value === 'string') this.string(1, value)
    else if (typeof value === 'boolean') this.uint(2, value ? 1 : 0)
    else if (typeof value === 'bigint') this.#int(value)
    else if (typeof value === 'number') this.double(4, value)
    else if (value instanceof Uint8Array) this.bytes(7, value)
    else if (isList(value)) this.#list(value)
    else this.#map(value)
  }

  #list(values: readonly PlainValue[]): void {
    const list = this.begin(5)
    for (const value of values) {
      const mark = this.begin(1)
      this.anyValue(value)
      this.end(mark)
    }
    this.end(list)
  }

  #map(values: { readonly [key: string]: PlainValue }): void {
    const map = this.begin(6)
    for (const key of Object.keys(values)) this.keyValue(1, key, values[key])
    this.end(map)
  }

  /** A KeyValue field: one attribute. */
  keyValue(field: number, key: string, value: PlainValue): void {
    const mark = this.begin(field)
    this.string(1, key)
    const body = this.begin(2)
    this.anyValue(value)
    this.end(body)
    this.end(mark)
  }

  #int(value: bigint): void {
    if (value !== BigInt.asIntN(64, value)) throw new RangeError(`an OTLP int has 64 bits, got ${value}`)
    this.tag(3, WIRE.VARINT)
    this.varint64(value)
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.byteLength) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** `Array.isArray` narrows a readonly array away. */
function isList(value: object): value is readonly PlainValue[] {
  return Array.isArray(value)
}

/**
 * The body of an AnyValue. A bigint becomes an int, a number always a double (use `encodeInt` for an int from a number), undefined
 * the empty value. Throws RangeError for a bigint past 64 bits.
 */
export function encodeValue(value: PlainValue): EncodedValue {
  const writer = new Writer(64)
  writer.anyValue(value)
  return writer.finish()
}

/** The body of an AnyValue that holds an int. Throws RangeError for a fraction, or past 64 bits. */
export function encodeInt(value: number | bigint): EncodedValue {
  return encodeValue(BigInt(value))
}
