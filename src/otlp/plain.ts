import type { Signal } from './batch.ts'
import { Writer } from './encode.ts'
import { minimalVarint, unpack } from './plain-scalar.ts'
import { type FieldSchema, type MessageSchema, REQUESTS, WIRE } from './schema.ts'
import { MAX_NESTING } from './validate.ts'
import { after, readLength, readTag, skipValue } from './varint.ts'
import { WireError } from './wire-error.ts'

/**
 * The plain path: a message as a list of its fields in the order they have, nothing clever. It is the oracle of the fast
 * path in property tests, and what brings unusual input into the form that the fast path edits.
 */

/** A field whose content is a known message. */
export interface MessageField {
  readonly number: number
  readonly message: PlainMessage
}

/** Any other field. */
export interface LeafField {
  readonly number: number
  readonly wire: number
  /** Of a LEN field its content, else the bytes of the number. */
  readonly bytes: Uint8Array
  /** An unknown field with tag and length as they came, so that it leaves byte for byte. */
  readonly raw?: Uint8Array
}

export type PlainEntry = MessageField | LeafField

/** One message of the tree. */
export class PlainMessage {
  readonly schema: MessageSchema
  entries: PlainEntry[] = []

  constructor(schema: MessageSchema) {
    this.schema = schema
  }

  /** Reads `bytes[start, end)`. Throws WireError for what protobuf or OTLP's schema does not allow. */
  static read(
    schema: MessageSchema,
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
    levels = MAX_NESTING,
  ): PlainMessage {
    if (levels === 0) throw new WireError(start, `messages are nested more than ${MAX_NESTING} deep`)
    const message = new PlainMessage(schema)
    for (let at = start; at < end; ) {
      const tagAt = at
      const tag = readTag(bytes, at, end)
      const valueAt = after
      const number = tag >>> 3
      const wire = tag & 7
      at = skipValue(bytes, tag, valueAt, end)
      let contentAt = valueAt
      if (wire === WIRE.LEN) {
        readLength(bytes, valueAt, end)
        contentAt = after
      }
      const content = bytes.subarray(contentAt, at)
      const field = schema.byNumber.get(number)
      if (field === undefined) {
        message.entries.push({ number, wire, bytes: content, raw: bytes.subarray(tagAt, at) })
        continue
      }
      if (wire !== field.wire && !(field.packable && wire === WIRE.LEN)) {
        throw new WireError(tagAt, `${schema.name}.${field.name} has wire type ${field.wire}, not ${wire}`)
      }
      if (field.message) {
        const child = PlainMessage.read(field.message, bytes, contentAt, at, levels - 1)
        message.entries.push({ number, message: child })
      } else {
        if (field.packable && wire === WIRE.LEN) unpack(field, bytes, contentAt, at)
        message.entries.push({ number, wire, bytes: content })
      }
    }
    return message
  }

  /** The serialization: the entries in their order, tags and lengths minimal, unknown fields as they came. */
  write(): Uint8Array<ArrayBuffer> {
    const writer = new Writer()
    this.#writeTo(writer)
    return writer.finish()
  }

  #writeTo(writer: Writer): void {
    for (const entry of this.entries) {
      if ('message' in entry) {
        const mark = writer.begin(entry.number)
        entry.message.#writeTo(writer)
        writer.end(mark)
      } else if (entry.raw) writer.raw(entry.raw)
      else if (entry.wire === WIRE.LEN) writer.bytes(entry.number, entry.bytes)
      else {
        writer.tag(entry.number, entry.wire)
        writer.raw(entry.bytes)
      }
    }
  }

  /**
   * The same meaning with every singular field once, every oneof set once, every packable list in one packed field and minimal
   * varints. A field stands where it first stood; nothing else is moved.
   */
  canonical(): PlainMessage {
    const result = new PlainMessage(this.schema)
    const places = new Map<number | string, number>()
    const packed = new Map<number, Uint8Array[]>()
    for (const entry of this.entries) {
      const field = this.schema.byNumber.get(entry.number)
      if (field === undefined || (field.repeated && !field.packable)) {
        result.entries.push(entry)
        continue
      }
      const slot = field.oneof ?? field.number
      const place = places.get(slot)
      if (place === undefined) {
        places.set(slot, result.entries.length)
        result.entries.push(entry)
      } else if (!field.packable) result.entries[place] = override(result.entries[place]!, entry)
      if (field.packable) {
        const elements = packed.get(field.number) ?? []
        packed.set(field.number, elements.concat(elementsOf(field, entry as LeafField)))
      }
    }
    result.entries = result.entries.map((entry) => {
      if ('message' in entry) return { number: entry.number, message: entry.message.canonical() }
      const elements = packed.get(entry.number)
      if (elements) return { number: entry.number, wire: WIRE.LEN, bytes: Buffer.concat(elements) }
      if (entry.wire !== WIRE.VARINT || entry.raw) return entry
      return { number: entry.number, wire: entry.wire, bytes: minimalVarint(entry.bytes) }
    })
    return result
  }
}

/** Of two entries for one singular field or oneof: messages of the same field merge, else the later one counts. */
function override(earlier: PlainEntry, later: PlainEntry): PlainEntry {
  if (earlier.number !== later.number || !('message' in earlier) || !('message' in later)) return later
  const merged = new PlainMessage(earlier.message.schema)
  merged.entries = [...earlier.message.entries, ...later.message.entries]
  return { number: later.number, message: merged }
}

/** Elements of a packable field's entry, minimal. */
function elementsOf(field: FieldSchema, { wire, bytes }: LeafField): Uint8Array[] {
  const elements = wire === WIRE.LEN ? unpack(field, bytes, 0, bytes.length) : [bytes]
  return field.wire === WIRE.VARINT ? elements.map(minimalVarint) : elements
}

/** Reads a whole request. Throws WireError. */
export function readPlain(signal: Signal, bytes: Uint8Array): PlainMessage {
  return PlainMessage.read(REQUESTS[signal], bytes)
}

/**
 * Other bytes with the same meaning, in which every singular field and every oneof is set at most once, packable lists are
 * packed and varints minimal. Fields keep their order, unknown ones their bytes, invalid UTF-8 stays. Throws WireError.
 */
export function canonicalise(signal: Signal, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return readPlain(signal, bytes).canonical().write()
}
