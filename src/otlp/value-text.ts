/**
 * Attribute values as text and back, letter for letter as the Collector's pdata and Go's strconv do it, so that a
 * converted attribute keeps the spelling that dashboards and alerts already match on.
 */
import { Buffer } from 'node:buffer'
import type { PlainValue } from './cursors.ts'

/** What pdata's `Value.AsString` gives: strings as they are, bytes as base64, arrays and maps as JSON with sorted keys. */
export function valueText(value: PlainValue): string {
  switch (typeof value) {
    case 'undefined':
      return ''
    case 'string':
      return value
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      return doubleText(value)
  }
  if (value instanceof Uint8Array) return base64(value)
  return hasUnspeakableNumber(value) ? '' : json(value)
}

const INTEGER = /^[+-]?\d+$/
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
// Longer texts are out of range unless they are padded with zeros, and BigInt takes quadratic time over them.
const MAX_INTEGER_LENGTH = 64

/** Go's `strconv.ParseInt(text, 10, 64)`: a sign and digits, nothing around them; undefined where it reports an error. */
export function parseInt64(text: string): bigint | undefined {
  if (text.length > MAX_INTEGER_LENGTH || !INTEGER.test(text)) return undefined
  const value = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text)
  return value < MIN_INT64 || value > MAX_INT64 ? undefined : value
}

// Digits may be grouped by single underscores, as in a Go literal.
const DIGITS = '\\d+(?:_\\d+)*'
const DECIMAL = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`)
const INFINITE = /^[+-]?inf(?:inity)?$/i

/**
 * Go's `strconv.ParseFloat(text, 64)` for decimal texts, infinities and NaN; undefined where it reports an error, and for
 * hexadecimal floats, which Go reads.
 */
export function parseFloat64(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text.replaceAll('_', ''))
    return Number.isFinite(value) ? value : undefined
  }
  if (INFINITE.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return /^nan$/i.test(text) ? NaN : undefined
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

type Nested = Exclude<PlainValue, undefined | string | boolean | bigint | number | Uint8Array>

/** Go's JSON encoder gives up on NaN and the infinities, and pdata then returns what was written by then: nothing. */
function hasUnspeakableNumber(value: PlainValue): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && !(value instanceof Uint8Array) && children(value).some(hasUnspeakableNumber)
}

function children(value: Nested): readonly PlainValue[] {
  return isList(value) ? value : Object.values(value)
}

function isList(value: Nested): value is readonly PlainValue[] {
  return Array.isArray(value)
}

function json(value: PlainValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'null'
    case 'string':
      return jsonString(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      return doubleText(value)
  }
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (isList(value)) return `[${value.map(json).join(',')}]`
  const members = Object.entries(value)
    .map(([key, member]) => ({ key, bytes: Buffer.from(key), member }))
    .sort((a, b) => a.bytes.compare(b.bytes))
  return `{${members.map(({ key, member }) => `${jsonString(key)}:${json(member)}`).join(',')}}`
}

/** Go escapes the two separators that JavaScript once could not hold in a string literal. */
function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
