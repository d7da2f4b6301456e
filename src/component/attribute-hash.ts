import { hash } from 'node:crypto'
import type { EncodedValue, ValueCursor } from '../otlp/cursors.ts'

const STRING_VALUE = 0x0a
const HEX_LENGTH = 64
/** What the Collector leaves of a value that it cannot hash: an empty string, so that nothing stays readable. */
const EMPTY_STRING: EncodedValue = Uint8Array.of(STRING_VALUE, 0)

/**
 * The value's SHA-256 in hex, as an encoded string, over the bytes that the Collector hashes: those of a string, one of a bool,
 * eight little-endian ones of an int or a double. Anything else becomes an empty string.
 */
export function hashValue(value: ValueCursor): EncodedValue {
  const input = hashInput(value)
  if (input === undefined) return EMPTY_STRING
  const encoded = new Uint8Array(2 + HEX_LENGTH)
  encoded[0] = STRING_VALUE
  encoded[1] = HEX_LENGTH
  const hex = hash('sha256', input, 'hex')
  for (let i = 0; i < HEX_LENGTH; i++) encoded[2 + i] = hex.charCodeAt(i)
  return encoded
}

function hashInput(value: ValueCursor): Uint8Array | undefined {
  switch (value.kind) {
    case 'string':
      return value.buffer.subarray(value.start, value.end)
    case 'bool':
      return Uint8Array.of(value.bool() ? 1 : 0)
    case 'int': {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, value.bigint(), true)
      return bytes
    }
    case 'double': {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setFloat64(0, value.number(), true)
      return bytes
    }
    default:
      return undefined
  }
}
