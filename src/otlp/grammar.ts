import type { Signal } from './batch.ts'
import { type FieldSchema, MESSAGES, type MessageSchema, messageNamed, WIRE } from './schema.ts'

/*
 * The schema as one table of small integers, so that walking bytes needs no maps and no objects:
 * GRAMMAR[message * TAGS + tag] says what the field with that tag (number << 3 | wire type) is.
 */

/** Tags per message: OTLP's field numbers end at 16, so every known tag is below 136. */
export const TAGS = 256

export const UNKNOWN = 0
export const VARINT = 1
export const FIXED64 = 2
export const FIXED32 = 3
export const BYTES = 4
export const PACKED_VARINT = 5
export const PACKED_FIXED64 = 6
const PACKED_FIXED32 = 7
/** A known field with another wire type than its own. */
export const WRONG_WIRE_TYPE = 8
/** From here on: a message; subtract to get which. */
export const MESSAGE = 16

const numbers = new Map<MessageSchema, number>(MESSAGES.map((message, index) => [message, index]))

export const GRAMMAR: Uint8Array = new Uint8Array(MESSAGES.length * TAGS)

/** The number of a message in the table. */
export function messageNumber(name: string): number {
  return numbers.get(messageNamed(name))!
}

/** The number of each signal's request. */
export const REQUEST: Readonly<Record<Signal, number>> = {
  traces: messageNumber('ExportTraceServiceRequest'),
  metrics: messageNumber('ExportMetricsServiceRequest'),
  logs: messageNumber('ExportLogsServiceRequest'),
  profiles: messageNumber('ExportProfilesServiceRequest'),
}

for (const [message, number] of numbers) {
  for (const field of message.fields) {
    const row = number * TAGS + (field.number << 3)
    for (let wire = 0; wire < 8; wire++) GRAMMAR[row + wire] = WRONG_WIRE_TYPE
    GRAMMAR[row + field.wire] = codeOf(field)
    if (field.packable) GRAMMAR[row + WIRE.LEN] = packedCodeOf(field)
  }
}

function codeOf(field: FieldSchema): number {
  if (field.message !== undefined) return MESSAGE + numbers.get(field.message)!
  switch (field.wire) {
    case WIRE.VARINT:
      return VARINT
    case WIRE.FIXED64:
      return FIXED64
    case WIRE.FIXED32:
      return FIXED32
    default:
      return BYTES
  }
}

function packedCodeOf(field: FieldSchema): number {
  if (field.wire === WIRE.VARINT) return PACKED_VARINT
  return field.wire === WIRE.FIXED64 ? PACKED_FIXED64 : PACKED_FIXED32
}
