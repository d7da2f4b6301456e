import { hash } from 'node:crypto'
import type { EncodedValue, ValueCursor } from '../otlp/cursors.ts'

const STRING_VALUE = 0x0a
const HEX_LENGTH = 64
const ENCODED_LENGTH = 2 + HEX_LENGTH
/** Hashes lie side by side: memory of its own for each costs more than hashing. A slab is free when no batch refers to it. */
const SLAB_BYTES = 1 << 16
let slab = Buffer.alloc(0)
let slabEnd = SLAB_BYTES
/** What the Collector leaves of a value that it cannot hash: an empty string, so that nothing stays readable. */
const EMPTY_STRING: EncodedValue = Uint8Array.of(STRING_VALUE, 0)

/**
 * The value's SHA-256 in hex, as an encoded string, over the bytes that the Collector hashes: those of a string, one of a bool,
 * eight little-endian ones of an int or a double. Anything else becomes an empty string.
 */
export function hashValue(value: ValueCursor): EncodedValue {
  const input = hashInput(value)
  if (input === undefined) return EMPTY_STRING
  if (slabEnd + ENCODED_LENGTH > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    slabEnd = 0
  }
  const start = slabEnd
  slabEnd += ENCODED_LENGTH
  slab[start] = STRING_VALUE
  slab[start + 1] = HEX_LENGTH
  slab.write(hash('sha256', input, 'hex'), start + 2, 'latin1')
  return slab.subarray(start, slabEnd)
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
