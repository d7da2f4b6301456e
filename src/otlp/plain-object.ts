import type { Signal } from './batch.ts'
import { type PlainMessage, readPlain } from './plain.ts'
import { readScalar, unpack } from './plain-scalar.ts'

/** A value of `toPlain`'s tree: 64-bit numbers are bigints, enums numbers, bytes a window onto the input. */
export type PlainField = string | number | bigint | boolean | Uint8Array | PlainObject | PlainField[]

/** An OTLP message as a tree of plain objects: names as in `schema.ts`, absent fields absent, unknown ones left out. */
export interface PlainObject {
  [name: string]: PlainField
}

/** A whole request as plain objects, for people and tests. Throws WireError. */
export function toPlain(signal: Signal, bytes: Uint8Array): PlainObject {
  return plainObjectOf(readPlain(signal, bytes).canonical())
}

/** The object of a message in canonical form. */
export function plainObjectOf(message: PlainMessage): PlainObject {
  const object: PlainObject = {}
  for (const entry of message.entries) {
    const field = message.schema.byNumber.get(entry.number)
    if (field === undefined) continue
    if (!('message' in entry)) {
      if (!field.repeated) object[field.name] = readScalar(field, entry.bytes)
      else if (!field.packable) append(object, field.name, readScalar(field, entry.bytes))
      else
        for (const element of unpack(field, entry.bytes, 0, entry.bytes.length)) {
          append(object, field.name, readScalar(field, element))
        }
    } else if (field.repeated) append(object, field.name, plainObjectOf(entry.message))
    else object[field.name] = plainObjectOf(entry.message)
  }
  return object
}

function append(object: PlainObject, name: string, value: PlainField): void {
  const list = object[name]
  if (Array.isArray(list)) list.push(value)
  else object[name] = [value]
}
