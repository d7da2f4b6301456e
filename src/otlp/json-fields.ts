import type { Signal } from './batch.ts'
import { type FieldSchema, MESSAGES, type MessageSchema, REQUESTS } from './schema.ts'

/** What a field's JSON value is read as; several types that read alike share one. */
export const KIND = {
  MESSAGE: 0,
  STRING: 1,
  BYTES: 2,
  ID: 3,
  BOOL: 4,
  DOUBLE: 5,
  ENUM: 6,
  INT32: 7,
  UINT32: 8,
  SINT32: 9,
  FIXED32: 10,
  INT64: 11,
  UINT64: 12,
  SFIXED64: 13,
  FIXED64: 14,
} as const

const KINDS: Readonly<Record<FieldSchema['type'], number>> = {
  message: KIND.MESSAGE,
  string: KIND.STRING,
  bytes: KIND.BYTES,
  bool: KIND.BOOL,
  double: KIND.DOUBLE,
  enum: KIND.ENUM,
  int32: KIND.INT32,
  uint32: KIND.UINT32,
  sint32: KIND.SINT32,
  fixed32: KIND.FIXED32,
  int64: KIND.INT64,
  uint64: KIND.UINT64,
  sfixed64: KIND.SFIXED64,
  fixed64: KIND.FIXED64,
}

/** A field as the reader of OTLP/JSON needs it. */
export interface JsonInputField {
  readonly name: string
  readonly kind: number
  /** `number << 3 | wire type`; of a list that is packed, the list's. */
  readonly tag: number
  readonly repeated: boolean
  /** Written even where it holds the default: members of a oneof, and `optional` ones. */
  readonly presence: boolean
  readonly oneof: boolean
  /** Of this field among its message's. */
  readonly bit: number
  /** Bits of what it stands in for: itself, and its oneof's other members. */
  readonly clash: number
  /** Bytes of an id. */
  readonly idLength: number
  /** Number by name. */
  readonly values: ReadonlyMap<string, number>
  readonly message: JsonInputMessage | undefined
  /** Bytes that the length of the last one took: most likely those of the next, which is then written in place. */
  lengthWidth: number
}

/** One of a field's names. */
export interface Spelling {
  readonly bytes: Uint8Array
  readonly field: JsonInputField
  /** The name that followed the last time: most likely the one that follows the next time, which is then found by comparing only. */
  next: Spelling | undefined
}

const SLOTS = 128
const ASCII = new TextEncoder()

/** A message's fields by their names in JSON, both lowerCamelCase and as the .proto files spell them. */
export class JsonInputMessage {
  readonly #slots: Spelling[][] = Array.from({ length: SLOTS }, () => [])
  /** The name that an object began with the last time. */
  first: Spelling | undefined

  add(name: string, field: JsonInputField): void {
    const bytes = ASCII.encode(name)
    this.#slots[slotOf(bytes, 0, bytes.length)]!.push({ bytes, field, next: undefined })
  }

  /** The name that `key[start, end)` is; undefined where there is none. */
  find(key: Uint8Array, start: number, end: number): Spelling | undefined {
    if (start === end) return undefined
    const slot = this.#slots[slotOf(key, start, end)]!
    for (let i = 0; i < slot.length; i++) {
      const spelling = slot[i]!
      if (spelling.bytes.length === end - start && isAt(spelling.bytes, key, start)) return spelling
    }
    return undefined
  }
}

/** Length, first, middle and last byte tell all names of a message but two or three apart. */
function slotOf(key: Uint8Array, start: number, end: number): number {
  const length = end - start
  return (length * 5 + key[start]! * 3 + key[start + (length >> 1)]! * 7 + key[end - 1]! * 13) & (SLOTS - 1)
}

/** Whether `name` stands at `start`. */
export function isAt(name: Uint8Array, text: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (name[i] !== text[start + i]) return false
  return true
}

const messages = new Map<MessageSchema, JsonInputMessage>(MESSAGES.map((schema) => [schema, new JsonInputMessage()]))
for (const [schema, message] of messages) {
  for (const field of schema.fields) {
    const input = inputField(schema, field)
    message.add(field.name, input)
    const original = field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    if (original !== field.name) message.add(original, input)
  }
}

function inputField(schema: MessageSchema, field: FieldSchema): JsonInputField {
  const bitOf = (of: FieldSchema): number => 1 << schema.fields.indexOf(of)
  const rivals = schema.fields.filter(({ oneof }) => oneof !== undefined && oneof === field.oneof)
  return {
    name: field.name,
    kind: field.hex ? KIND.ID : KINDS[field.type],
    tag: (field.number << 3) | (field.packable ? 2 : field.wire),
    repeated: field.repeated,
    presence: field.presence,
    oneof: field.oneof !== undefined,
    bit: bitOf(field),
    clash: rivals.reduce((mask, rival) => mask | bitOf(rival), bitOf(field)),
    // Trace and profile ids have 16 bytes, span ids 8.
    idLength: /^(trace|profile)Id$/.test(field.name) ? 16 : 8,
    values: new Map(field.values?.map((name, number) => [name, number])),
    message: field.message && messages.get(field.message),
    lengthWidth: 1,
  }
}

/** The request of each signal. */
export const JSON_REQUESTS: Readonly<Record<Signal, JsonInputMessage>> = {
  traces: messages.get(REQUESTS.traces)!,
  metrics: messages.get(REQUESTS.metrics)!,
  logs: messages.get(REQUESTS.logs)!,
  profiles: messages.get(REQUESTS.profiles)!,
}
