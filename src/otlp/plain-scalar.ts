import { type FieldSchema, WIRE } from './schema.ts'
import { after, readVarint } from './varint.ts'
import { WireError } from './wire-error.ts'

/** A scalar as JavaScript: 64-bit integers are bigints, enums numbers. */
export type ScalarValue = string | number | bigint | boolean | Uint8Array

// Both marks are said out loud because the defaults are the wrong way around: a BOM is part of the text.
const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/** Text of UTF-8 bytes; what is not valid becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

/** The value of a scalar field from its bytes, without tag and length. `bytes` must be whole: the tree has checked it. */
export function readScalar(field: FieldSchema, bytes: Uint8Array): ScalarValue {
  switch (field.type) {
    case 'string':
      return textOf(bytes)
    case 'bool':
      return varintOf(bytes) !== 0n
    case 'uint32':
      return Number(BigInt.asUintN(32, varintOf(bytes)))
    case 'int32':
    case 'enum':
      return Number(BigInt.asIntN(32, varintOf(bytes)))
    case 'sint32': {
      const zigzag = Number(BigInt.asUintN(32, varintOf(bytes)))
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case 'int64':
      return BigInt.asIntN(64, varintOf(bytes))
    case 'uint64':
      return varintOf(bytes)
    case 'fixed32':
      return viewOf(bytes).getUint32(0, true)
    case 'fixed64':
      return viewOf(bytes).getBigUint64(0, true)
    case 'sfixed64':
      return viewOf(bytes).getBigInt64(0, true)
    case 'double':
      return viewOf(bytes).getFloat64(0, true)
    default:
      return bytes
  }
}

/** Cuts a packed list into its elements' bytes. Throws WireError where it does not end with an element. */
export function unpack(field: FieldSchema, bytes: Uint8Array, start: number, end: number): Uint8Array[] {
  const elements: Uint8Array[] = []
  const width = field.wire === WIRE.FIXED64 ? 8 : 4
  for (let at = start; at < end; ) {
    let next = at + width
    if (field.wire === WIRE.VARINT) {
      readVarint(bytes, at, end)
      next = after
    } else if (next > end) throw new WireError(at, `a packed list of ${field.name} ends inside an element`)
    elements.push(bytes.subarray(at, next))
    at = next
  }
  return elements
}

/** The shortest varint with the same value. */
export function minimalVarint(bytes: Uint8Array): Uint8Array {
  let length = bytes.length
  while (length > 1 && (bytes[length - 1]! & 127) === 0) length--
  if (length === bytes.length) return bytes
  // Not `slice`: a Buffer's shares its bytes, and what came in would change under its other readers.
  const minimal = Uint8Array.from(bytes.subarray(0, length))
  minimal[length - 1]! &= 127
  return minimal
}

function varintOf(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 7n) | BigInt(bytes[i]! & 127)
  return value
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
