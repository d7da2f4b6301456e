import { signatureOf } from './key.ts'
import * as varint from './varint.ts'

/* A row: the range of the whole field, of the key, of the value's AnyValue; the key's signature; the state. */
export const ROW = 8
export const TAG_AT = 0
export const END = 1
export const KEY_START = 2
export const KEY_END = 3
export const VALUE_START = 4
export const VALUE_END = 5
export const SIGNATURE = 6
export const STATE = 7

/* Bits of the state. */
export const DELETED = 1
/** The value is a new one. */
export const NEW_VALUE = 2
/** The key is a new one, or noted beside the row though it is the same. */
export const NEW_KEY = 4
/** Not in the input at all. */
export const ADDED = 8
/** Key and value lie in a canonical copy: the attribute was unusual. */
export const COPIED = 16
/** There are fields beside key and value. */
export const MORE = 32
/** There is no value, not even an empty one. */
export const NO_VALUE = 64

/**
 * Fills a row from a key and then a value with lengths of up to two bytes and nothing else, as nearly every attribute
 * is; false for anything else.
 */
export function resolveUsual(buffer: Buffer, rows: Int32Array, row: number, start: number, end: number): boolean {
  if (end - start < 4 || buffer[start] !== 10) return false
  const keySize = buffer[start + 1]!
  const keyEnd = start + 2 + keySize
  if (keySize > 127 || end - keyEnd < 2 || buffer[keyEnd] !== 18) return false
  let valueStart = keyEnd + 2
  let valueSize = buffer[keyEnd + 1]!
  if (valueSize > 127) {
    if (valueStart === end || buffer[valueStart]! > 127) return false
    valueSize = (valueSize & 127) | (buffer[valueStart++]! << 7)
  }
  if (end - valueStart !== valueSize) return false
  rows[row + KEY_START] = start + 2
  rows[row + KEY_END] = keyEnd
  rows[row + VALUE_START] = valueStart
  rows[row + VALUE_END] = end
  rows[row + SIGNATURE] = signatureOf(buffer, start + 2, keyEnd)
  rows[row + STATE] = 0
  return true
}

/**
 * Fills a row whatever the order, whatever stands beside; false where key or value come twice. Throws WireError where these are no
 * fields.
 */
export function resolveAnyOrder(buffer: Buffer, rows: Int32Array, row: number, start: number, end: number): boolean {
  rows[row + KEY_START] = 0
  rows[row + KEY_END] = 0
  rows[row + VALUE_START] = 0
  rows[row + VALUE_END] = 0
  let state = NO_VALUE
  let keys = 0
  for (let p = start; p < end; ) {
    const tag = varint.readTag(buffer, p, end)
    const at = varint.after
    p = varint.skipValue(buffer, tag, at, end)
    if (tag !== 10 && tag !== 18) {
      state |= MORE
      continue
    }
    varint.readLength(buffer, at, end)
    if (tag === 10) {
      if (keys++ > 0) return false
      rows[row + KEY_START] = varint.after
      rows[row + KEY_END] = p
    } else {
      if ((state & NO_VALUE) === 0) return false
      state &= ~NO_VALUE
      rows[row + VALUE_START] = varint.after
      rows[row + VALUE_END] = p
    }
  }
  rows[row + SIGNATURE] = signatureOf(buffer, rows[row + KEY_START]!, rows[row + KEY_END]!)
  rows[row + STATE] = state
  return true
}
