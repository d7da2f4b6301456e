import type { Signal } from './batch.ts'
import { type FieldSchema, messageNamed } from './schema.ts'

/* What `Message` does with a field when it indexes one, by tag; small integers so that one table lookup decides. */
export const UNKNOWN = 0
export const VARINT = 1
export const FIXED64 = 2
export const FIXED32 = 3
/** A singular string, bytes or message field. */
export const BYTES = 4
/** An attribute. */
export const ATTRIBUTE = 5
/** A repeated message that gets a row of its own: scopes, records, events. */
export const CHILD = 6
/** Repeated, and read by scanning again where somebody asks. */
export const REPEATED = 7
export const WRONG_WIRE_TYPE = 8

/** Known tags are below this: OTLP's field numbers end at 16. */
export const TAGS = 256

/** How to index one kind of message. */
export interface Layout {
  readonly name: string
  /** One of the constants above for each tag below `TAGS`. */
  readonly codes: Uint8Array
  /** Bit n: field n is a singular message. */
  readonly messages: number
  /** Tag of the attributes; 0 where there are none. */
  readonly attributeTag: number
  /** Whether its children are members of a oneof: at most one counts. */
  readonly oneChild: boolean
  /** With `path`: how such a message is reached from a request, for canonicalising one of them alone. */
  readonly signal: Signal
  /** LEN tags from the request down to this message. */
  readonly path: readonly number[]
}

/** The layout of the message `name`; `children` are its fields that get rows. */
export function layout(
  name: string,
  signal: Signal,
  path: readonly number[],
  children: readonly string[] = [],
): Layout {
  const codes = new Uint8Array(TAGS)
  let attributeTag = 0
  let messages = 0
  const { fields } = messageNamed(name)
  const oneChild = fields.some((field) => field.oneof !== undefined && children.includes(field.name))
  for (const field of fields) {
    const tag = field.number << 3
    codes.fill(WRONG_WIRE_TYPE, tag, tag + 8)
    const code = codeOf(field, children)
    codes[tag + field.wire] = code
    if (field.packable) codes[tag + 2] = code
    if (code === BYTES && field.message) messages |= 1 << field.number
    if (code === ATTRIBUTE) attributeTag = tag + field.wire
  }
  return { name, codes, messages, attributeTag, oneChild, signal, path }
}

function codeOf(field: FieldSchema, children: readonly string[]): number {
  if (children.includes(field.name)) return CHILD
  if (field.name === 'attributes' || field.name === 'filteredAttributes') return ATTRIBUTE
  if (field.repeated) return REPEATED
  // Wire types 0, 1, 2 and 5.
  return [VARINT, FIXED64, BYTES, UNKNOWN, UNKNOWN, FIXED32][field.wire]!
}
