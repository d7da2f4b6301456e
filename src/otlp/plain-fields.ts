import type { ByteRange, Fixed64 } from './cursors.ts'
import { type LeafField, type PlainEntry, PlainMessage } from './plain.ts'
import { readScalar, type ScalarValue, unpack } from './plain-scalar.ts'
import { type FieldSchema, WIRE } from './schema.ts'

/*
 * Fields of a canonical PlainMessage by name. A message that lacks the field reads like one that does not have it set, so that
 * one cursor serves the five kinds of data points.
 */

type Maybe = PlainMessage | undefined
const NOTHING = new Uint8Array(0)

export function fieldOf(message: Maybe, name: string): FieldSchema | undefined {
  return message?.schema.byName.get(name)
}

function entryOf(message: Maybe, name: string): PlainEntry | undefined {
  const number = fieldOf(message, name)?.number
  return message?.entries.find((entry) => entry.number === number)
}

function leafOf(message: Maybe, name: string): LeafField | undefined {
  const entry = entryOf(message, name)
  return entry === undefined || 'message' in entry ? undefined : entry
}

export function hasField(message: Maybe, name: string): boolean {
  return entryOf(message, name) !== undefined
}

export function bytesOf(message: Maybe, name: string): Uint8Array {
  return leafOf(message, name)?.bytes ?? NOTHING
}

export function rangeOf(message: Maybe, name: string): ByteRange {
  const buffer = bytesOf(message, name)
  return { buffer, start: 0, end: buffer.length }
}

export function scalarOf(message: Maybe, name: string): ScalarValue | undefined {
  const leaf = leafOf(message, name)
  return leaf && readScalar(fieldOf(message, name)!, leaf.bytes)
}

/** Of any number or bool; 0 where absent. */
export function numberOf(message: Maybe, name: string): number {
  return Number(scalarOf(message, name) ?? 0)
}

export function fixed64Of(message: Maybe, name: string): Fixed64 {
  const bytes = bytesOf(message, name)
  if (bytes.length === 0) return { high: 0, low: 0 }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  return { high: view.getUint32(4, true), low: view.getUint32(0, true) }
}

/** The elements of a packable field. */
export function listOf(message: Maybe, name: string): ScalarValue[] {
  const leaf = leafOf(message, name)
  if (leaf === undefined) return []
  const field = fieldOf(message, name)!
  return unpack(field, leaf.bytes, 0, leaf.bytes.length).map((element) => readScalar(field, element))
}

export function childOf(message: Maybe, name: string): PlainMessage | undefined {
  const entry = entryOf(message, name)
  return entry !== undefined && 'message' in entry ? entry.message : undefined
}

export function childrenOf(message: Maybe, name: string): PlainMessage[] {
  const number = fieldOf(message, name)?.number
  return (message?.entries ?? []).flatMap((entry) =>
    entry.number === number && 'message' in entry ? [entry.message] : [],
  )
}

/** The child, made where there is none. */
export function ensureChild(message: PlainMessage, name: string): PlainMessage {
  const child = childOf(message, name)
  if (child) return child
  const { number, message: schema } = fieldOf(message, name)!
  const made = new PlainMessage(schema!)
  message.entries.push({ number, message: made })
  return made
}

export function setChild(message: PlainMessage, name: string, child: PlainMessage): void {
  put(message, { number: fieldOf(message, name)!.number, message: child })
}

export function setBytes(message: PlainMessage, name: string, bytes: Uint8Array): void {
  put(message, { number: fieldOf(message, name)!.number, wire: WIRE.LEN, bytes })
}

/** A whole number from 0 to 127, as the enums that can be set are. */
export function setEnum(message: PlainMessage, name: string, value: number): void {
  put(message, { number: fieldOf(message, name)!.number, wire: WIRE.VARINT, bytes: Uint8Array.of(value) })
}

/** In place of the field where it is set, else at the end. */
function put(message: PlainMessage, entry: PlainEntry): void {
  const index = message.entries.findIndex(({ number }) => number === entry.number)
  if (index < 0) message.entries.push(entry)
  else message.entries[index] = entry
}

/** Takes one child out; false where it is not, or no longer, among them. */
export function removeChild(message: PlainMessage, child: PlainMessage): boolean {
  const before = message.entries.length
  message.entries = message.entries.filter((entry) => !('message' in entry) || entry.message !== child)
  return message.entries.length < before
}
