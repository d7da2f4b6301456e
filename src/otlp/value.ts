import type { EncodedValue, PlainValue, ValueCursor, ValueKind } from './cursors.ts'
import { doubleAt, NOTHING, textOf } from './text.ts'
import * as varint from './varint.ts'

/** By field number of AnyValue. The last is an index into the dictionary of a profile: to everybody else no value. */
const KINDS: readonly ValueKind[] = ['empty', 'string', 'bool', 'int', 'double', 'array', 'kvlist', 'bytes', 'empty']
/** Wire type by field number of AnyValue. */
const WIRE_TYPES = [-1, 2, 0, 0, 1, 2, 2, 2, 0]

/** An AnyValue in place. Of several members of its oneof the last one counts. */
export class ValueView implements ValueCursor {
  buffer: Uint8Array = NOTHING
  start = 0
  end = 0
  #bodyStart = 0
  #bodyEnd = 0
  #field = 0

  open(buffer: Uint8Array, start: number, end: number): this {
    this.buffer = buffer
    this.#bodyStart = start
    this.#bodyEnd = end
    this.#field = 0
    this.start = start
    this.end = start
    let p = start
    while (p < end) {
      const tag = varint.readTag(buffer, p, end)
      const at = varint.after
      p = varint.skipValue(buffer, tag, at, end)
      const field = tag >> 3
      if (WIRE_TYPES[field] !== (tag & 7)) continue
      this.#field = field
      this.start = at
      if ((tag & 7) === 2) {
        varint.readLength(buffer, at, end)
        this.start = varint.after
      }
      this.end = p
    }
    return this
  }

  get kind(): ValueKind {
    return KINDS[this.#field]!
  }

  text(): string {
    return textOf(this)
  }

  bool(): boolean {
    if (this.#field !== 2) return false
    varint.readVarint64(this.buffer, this.start, this.end)
    return (varint.low | varint.high) !== 0
  }

  number(): number {
    if (this.#field === 4) return doubleAt(this.buffer, this.start)
    if (this.#field !== 3) return 0
    varint.readVarint64(this.buffer, this.start, this.end)
    return varint.high * 2 ** 32 + (varint.low >>> 0)
  }

  bigint(): bigint {
    if (this.#field === 4) {
      const value = Math.trunc(doubleAt(this.buffer, this.start))
      return Number.isFinite(value) ? BigInt(value) : 0n
    }
    if (this.#field !== 3) return 0n
    varint.readVarint64(this.buffer, this.start, this.end)
    return (BigInt(varint.high) << 32n) | BigInt(varint.low >>> 0)
  }

  plain(): PlainValue {
    switch (this.#field) {
      case 1:
        return this.text()
      case 2:
        return this.bool()
      case 3:
        return this.bigint()
      case 4:
        return this.number()
      case 5:
        return plainArray(this.buffer, this.#bodyStart, this.#bodyEnd)
      case 6:
        return plainMap(this.buffer, this.#bodyStart, this.#bodyEnd)
      case 7:
        return Uint8Array.from(this.buffer.subarray(this.start, this.end))
      default:
        return undefined
    }
  }

  encodedCopy(): EncodedValue {
    return Uint8Array.from(this.buffer.subarray(this.#bodyStart, this.#bodyEnd))
  }
}

/**
 * Calls `visit` with the content of each LEN field `tag` in `buffer[start, end)`; allocates nothing itself, but belongs to
 * the calls that do.
 */
function eachField(
  buffer: Uint8Array,
  start: number,
  end: number,
  visit: (tag: number, start: number, end: number) => void,
): void {
  for (let p = start; p < end; ) {
    const tag = varint.readTag(buffer, p, end)
    const at = varint.after
    p = varint.skipValue(buffer, tag, at, end)
    if ((tag & 7) !== 2) visit(tag, at, p)
    else {
      varint.readLength(buffer, at, end)
      visit(tag, varint.after, p)
    }
  }
}

/** An array that comes in several pieces is one array, unless another member of the oneof stands between them. */
function pieces(buffer: Uint8Array, start: number, end: number, wanted: number): [start: number, end: number][] {
  let found: [number, number][] = []
  eachField(buffer, start, end, (tag, from, to) => {
    if (tag === wanted) found.push([from, to])
    else if (WIRE_TYPES[tag >> 3] === (tag & 7)) found = []
  })
  return found
}

function plainArray(buffer: Uint8Array, bodyStart: number, bodyEnd: number): PlainValue[] {
  const values: PlainValue[] = []
  for (const [start, end] of pieces(buffer, bodyStart, bodyEnd, 42)) {
    eachField(buffer, start, end, (tag, from, to) => {
      if (tag === 10) values.push(new ValueView().open(buffer, from, to).plain())
    })
  }
  return values
}

function plainMap(buffer: Uint8Array, bodyStart: number, bodyEnd: number): { [key: string]: PlainValue } {
  const entries: [string, PlainValue][] = []
  for (const [start, end] of pieces(buffer, bodyStart, bodyEnd, 50)) {
    eachField(buffer, start, end, (tag, from, to) => {
      if (tag === 10) entries.push(plainEntry(buffer, from, to))
    })
  }
  // fromEntries defines properties and assigns none: a key called __proto__ is a key.
  return Object.fromEntries(entries)
}

function plainEntry(buffer: Uint8Array, start: number, end: number): [string, PlainValue] {
  let key = ''
  const value: Uint8Array[] = []
  eachField(buffer, start, end, (tag, from, to) => {
    if (tag === 10) key = textOf({ buffer, start: from, end: to })
    else if (tag === 18) value.push(buffer.subarray(from, to))
  })
  // Two pieces of one message mean what their bytes laid end to end mean.
  const body = value.length === 1 ? value[0]! : Buffer.concat(value)
  return [key, new ValueView().open(body, 0, body.length).plain()]
}
