import type { Signal } from './batch.ts'
import { JsonOutput } from './json-output.ts'
import { PlainMessage, readPlain } from './plain.ts'
import { type FieldSchema, MESSAGES, type MessageSchema, REQUESTS, WIRE } from './schema.ts'
import { doubleAt } from './text.ts'
import { MAX_NESTING } from './validate.ts'
import { after, high, low, readLength, readTag, readVarint64, skipValue } from './varint.ts'
import { WireError } from './wire-error.ts'

/*
 * OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Ids in hexadecimal, other bytes in base64, 64-bit integers
 * as strings, enums as numbers, lowerCamelCase names, scalars that hold their default left out.
 *
 * The text is written in one walk over the bytes, each field where it stands. That needs every singular field once and
 * the elements of a list next to each other, as every encoder in use writes them; a chunk where it is otherwise is brought
 * into that form first.
 */

/** A field as the walk needs it. */
interface JsonField {
  readonly schema: FieldSchema
  /** `"name":` */
  readonly key: Uint8Array
  /** Of this field among its message's. */
  readonly bit: number
  /** Bits of what must not have come before: this field, and its oneof's other members. */
  readonly clash: number
  readonly message?: JsonMessage
}
/** Fields by number. */
type JsonMessage = (JsonField | undefined)[]

const messages = new Map<MessageSchema, JsonMessage>(MESSAGES.map((schema) => [schema, []]))
for (const [schema, fields] of messages) {
  schema.fields.forEach((field, index) => {
    const rivals = schema.fields.filter(({ oneof }) => oneof !== undefined && oneof === field.oneof)
    fields[field.number] = {
      schema: field,
      key: new TextEncoder().encode(`"${field.name}":`),
      bit: 1 << index,
      clash: rivals.reduce((mask, rival) => mask | (1 << schema.fields.indexOf(rival)), 1 << index),
      ...(field.message && { message: messages.get(field.message)! }),
    }
  })
}

const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * One OTLP/JSON document, UTF-8, of all chunks together. Fields that the schema does not have are left out; invalid UTF-8 becomes U+FFFD.
 * Throws WireError.
 */
export function toJson(signal: Signal, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let byteLength = 0
  for (const chunk of chunks) byteLength += chunk.byteLength
  const output = new JsonOutput(byteLength * 2)
  const request = messages.get(REQUESTS[signal])!
  // A profiles request has a dictionary besides its list, which the bytes of the next one extend.
  const documents = signal === 'profiles' && chunks.length > 1 ? [Buffer.concat(chunks)] : chunks
  if (documents.length === 1) {
    writeDocument(output, signal, documents[0]!, (bytes) => writeMessage(output, request, bytes, 0, bytes.length, 1))
  } else writeList(output, signal, request[1]!, documents)
  return output.finish()
}

/** Several requests whose only field is `list`, as one. */
function writeList(output: JsonOutput, signal: Signal, list: JsonField, chunks: readonly Uint8Array[]): void {
  output.char(OPEN_BRACE)
  output.raw(list.key)
  output.char(OPEN_BRACKET)
  const empty = output.length
  for (const chunk of chunks) {
    writeDocument(output, signal, chunk, (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const tagAt = at
        const tag = readTag(bytes, at, bytes.length)
        const valueAt = after
        at = skipValue(bytes, tag, valueAt, bytes.length)
        if (tag >>> 3 !== list.schema.number) continue
        if ((tag & 7) !== WIRE.LEN) throw wrongWireType(list.schema, tag, tagAt)
        readLength(bytes, valueAt, bytes.length)
        const start = after
        if (output.length > empty) output.char(COMMA)
        if (!writeMessage(output, list.message!, bytes, start, at, 2)) return false
      }
      return true
    })
  }
  output.char(CLOSE_BRACKET)
  output.char(CLOSE_BRACE)
}

/** Runs `write` on the chunk, and where it gives up, again on the chunk in the form that it needs. */
function writeDocument(
  output: JsonOutput,
  signal: Signal,
  chunk: Uint8Array,
  write: (bytes: Uint8Array) => boolean,
): void {
  const start = output.length
  if (write(chunk)) return
  output.length = start
  write(grouped(readPlain(signal, chunk).canonical()).write())
}

/** The message with its fields ordered by number: what the canonical form still lacks. */
function grouped(message: PlainMessage): PlainMessage {
  const result = new PlainMessage(message.schema)
  result.entries = message.entries
    .map((entry) => ('message' in entry ? { number: entry.number, message: grouped(entry.message) } : entry))
    .sort((a, b) => a.number - b.number)
  return result
}

/** False where a field comes again that was over: what was written so far is of no use then. */
function writeMessage(
  output: JsonOutput,
  fields: JsonMessage,
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): boolean {
  if (depth > MAX_NESTING) throw new WireError(start, `messages are nested more than ${MAX_NESTING} deep`)
  output.char(OPEN_BRACE)
  const empty = output.length
  let seen = 0
  let list: JsonField | undefined
  for (let at = start; at < end; ) {
    const tagAt = at
    const tag = readTag(bytes, at, end)
    let valueAt = after
    const wire = tag & 7
    if (wire === WIRE.LEN) {
      const length = readLength(bytes, valueAt, end)
      valueAt = after
      at = valueAt + length
    } else at = skipValue(bytes, tag, valueAt, end)
    const field = fields[tag >>> 3]
    if (field === undefined) continue
    const { schema } = field
    if (wire !== schema.wire && !(schema.packable && wire === WIRE.LEN)) throw wrongWireType(schema, tag, tagAt)
    if (field !== list) {
      if ((seen & field.clash) !== 0) return false
      seen |= field.bit
      if (list !== undefined) output.char(CLOSE_BRACKET)
      list = undefined
      // An empty packed list is an empty list.
      if (schema.repeated ? schema.packable && at === valueAt : isOmitted(schema, bytes, valueAt, at)) continue
      if (output.length > empty) output.char(COMMA)
      output.raw(field.key)
      if (schema.repeated) {
        list = field
        output.char(OPEN_BRACKET)
      }
    } else if (at > valueAt || !schema.packable) output.char(COMMA)

    if (field.message !== undefined) {
      if (!writeMessage(output, field.message, bytes, valueAt, at, depth + 1)) return false
    } else if (schema.packable && wire === WIRE.LEN) writePacked(output, schema, bytes, valueAt, at)
    else writeScalar(output, schema, bytes, valueAt, at)
  }
  if (list !== undefined) output.char(CLOSE_BRACKET)
  output.char(CLOSE_BRACE)
  return true
}

function wrongWireType(field: FieldSchema, tag: number, at: number): WireError {
  return new WireError(at, `${field.name} has wire type ${field.wire}, not ${tag & 7}`)
}

/** Whether a singular field holds the default that its absence means as well. */
function isOmitted(field: FieldSchema, bytes: Uint8Array, start: number, end: number): boolean {
  if (field.presence || field.message !== undefined) return false
  if (field.wire === WIRE.LEN) return start === end
  for (let p = start; p < end; p++) {
    const byte = bytes[p]!
    if (byte !== 0 && !(field.wire === WIRE.VARINT && byte === 0x80)) return false
  }
  return true
}

function writePacked(output: JsonOutput, field: FieldSchema, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    if (at > start) output.char(COMMA)
    const next = skipValue(bytes, field.wire, at, end)
    writeScalar(output, field, bytes, at, next)
    at = next
  }
}

/** The scalar in `bytes[at, end)`, which is whole. */
function writeScalar(output: JsonOutput, field: FieldSchema, bytes: Uint8Array, at: number, end: number): void {
  if (field.wire === WIRE.VARINT) writeVarint(output, field, bytes, at, end)
  else if (field.type === 'string') output.string(bytes, at, end)
  else if (field.hex) output.hex(bytes, at, end)
  else if (field.type === 'bytes') output.base64(bytes, at, end)
  else if (field.type === 'double') output.double(doubleAt(bytes, at))
  else if (field.type === 'fixed32') output.ascii(String(readFixed32(bytes, at)))
  else writeInteger64(output, field, readFixed32(bytes, at), readFixed32(bytes, at + 4))
}

function writeVarint(output: JsonOutput, field: FieldSchema, bytes: Uint8Array, at: number, end: number): void {
  readVarint64(bytes, at, end)
  if (field.type === 'int64' || field.type === 'uint64') writeInteger64(output, field, low >>> 0, high >>> 0)
  else if (field.type === 'bool') output.ascii((low | high) === 0 ? 'false' : 'true')
  else if (field.type === 'uint32') output.ascii(String(low >>> 0))
  else if (field.type === 'sint32') output.ascii(String((low >>> 1) ^ -(low & 1)))
  else output.ascii(String(low))
}

function readFixed32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** In decimal between quotes, since a reader's doubles would round it. */
function writeInteger64(output: JsonOutput, field: FieldSchema, lowHalf: number, highHalf: number): void {
  if (highHalf < 0x20_0000) {
    output.ascii(`"${highHalf * 0x1_0000_0000 + lowHalf}"`)
    return
  }
  const bits = (BigInt(highHalf) << 32n) | BigInt(lowHalf)
  const signed = field.type === 'int64' || field.type === 'sfixed64'
  output.ascii(`"${signed ? BigInt.asIntN(64, bits) : bits}"`)
}
