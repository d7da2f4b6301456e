/*
 * Numbers of OTLP/JSON, read from the bytes of the text. 64-bit integers keep every digit: they are put together from two halves
 * that doubles hold exactly, never from one that rounds. What was read comes back through the variables below, because returning
 * it would allocate.
 */

/** Magnitude of the integer that was read last: its low and high 32 bits, both without sign. */
export let low = 0
export let high = 0
export let negative = false
/** Where the number that was read last ended. */
export let after = 0

const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const UPPER_E = 0x45
const LOWER_E = 0x65

export const INTEGER = { OK: 0, NONE: 1, FRACTION: 2, TOO_LARGE: 3 } as const

/** Reads the integer at `at`, of which no byte is at `end` or after; says what it found. `1.5e1` is one too. */
export function readInteger(bytes: Buffer, at: number, end: number): number {
  let p = at
  negative = bytes[p] === MINUS
  if (negative) p++
  const start = p
  let head = 0
  let value = 0
  let digits = 0
  for (; p < end; p++) {
    const digit = bytes[p]! - ZERO
    if (digit < 0 || digit > 9) break
    // The first eleven digits apart, so that neither part rounds.
    if (digits === 11) {
      head = value
      value = 0
    }
    value = value * 10 + digit
    digits++
  }
  after = p
  if (digits === 0 || (digits > 1 && bytes[start] === ZERO)) return INTEGER.NONE
  const stop = p < end ? bytes[p]! : 0
  if (stop === DOT || stop === UPPER_E || stop === LOWER_E) return readScaled(bytes, start, end)
  if (digits > 20) return INTEGER.TOO_LARGE
  if (digits <= 11) {
    low = value >>> 0
    high = Math.floor(value / 0x1_0000_0000)
    return INTEGER.OK
  }
  return combine(head, 10 ** (digits - 11), value)
}

/** `head * factor + tail` into `low` and `high`, for a head below 10^11, a factor up to 10^9 and a tail below it. */
function combine(head: number, factor: number, tail: number): number {
  const upper = Math.floor(head / 0x1_0000) * factor
  const lower = (head % 0x1_0000) * factor + tail
  const sum = (upper % 0x1_0000) * 0x1_0000 + lower
  low = sum >>> 0
  high = Math.floor(upper / 0x1_0000) + Math.floor(sum / 0x1_0000_0000)
  return high < 0x1_0000_0000 ? INTEGER.OK : INTEGER.TOO_LARGE
}

const SCALED = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?/
// Texts beyond are no integers that anybody writes, and the regular expression is to stay short of them.
const MAX_SCALED_LENGTH = 400

/** An integer with a fraction of zeros or an exponent that makes it whole: `1.0`, `1e3`. */
function readScaled(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString('latin1', start, Math.min(end, start + MAX_SCALED_LENGTH))
  const match = SCALED.exec(text)
  if (match === null) return INTEGER.NONE
  after = start + match[0].length
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  const zeros = digits.length - trimmed.length + Number(exponent) - fraction.length
  low = 0
  high = 0
  if (trimmed === '') return INTEGER.OK
  if (zeros < 0) return INTEGER.FRACTION
  if (trimmed.length + zeros > 20) return INTEGER.TOO_LARGE
  return setMagnitude(BigInt(trimmed) * 10n ** BigInt(zeros))
}

function setMagnitude(value: bigint): number {
  if (value >= 1n << 64n) return INTEGER.TOO_LARGE
  low = Number(value & 0xffff_ffffn)
  high = Number(value >> 32n)
  return INTEGER.OK
}

// More is out of range unless it is padded with zeros, and BigInt takes quadratic time over it.
const MAX_QUOTED_LENGTH = 64

/** An integer in quotes as Go's `strconv.ParseInt` takes it: with a plus sign or leading zeros too. */
export function parseQuotedInteger(text: string): number {
  const match = text.length > MAX_QUOTED_LENGTH ? null : /^([+-]?)(\d+)$/.exec(text)
  if (match === null) return INTEGER.NONE
  negative = match[1] === '-'
  return setMagnitude(BigInt(match[2]!))
}

const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/** The double at `at`; NaN where there is no number, an infinity where it is too large for one. `after` is its end. */
export function readDouble(bytes: Buffer, at: number, end: number): number {
  let p = at
  const minus = bytes[p] === MINUS
  if (minus) p++
  const start = p
  let mantissa = 0
  let exponent = 0
  for (; p < end && isDigit(bytes[p]!); p++) mantissa = mantissa * 10 + bytes[p]! - ZERO
  let digits = p - start
  after = p
  if (digits === 0 || (digits > 1 && bytes[start] === ZERO)) return Number.NaN
  if (p < end && bytes[p] === DOT) {
    const fraction = ++p
    for (; p < end && isDigit(bytes[p]!); p++) mantissa = mantissa * 10 + bytes[p]! - ZERO
    if (p === fraction) return Number.NaN
    digits += p - fraction
    exponent = fraction - p
  }
  if (p < end && (bytes[p] === LOWER_E || bytes[p] === UPPER_E)) {
    p++
    const sign = bytes[p]
    if (sign === MINUS || sign === 0x2b) p++
    const power = p
    let value = 0
    for (; p < end && isDigit(bytes[p]!); p++) value = Math.min(value * 10 + bytes[p]! - ZERO, 9999)
    if (p === power) return Number.NaN
    exponent += sign === MINUS ? -value : value
  }
  after = p
  // Both exact and one operation, so correctly rounded (Clinger 1990); anything longer is left to V8.
  if (digits <= 15 && exponent >= -22 && exponent <= 22) {
    const value = exponent < 0 ? mantissa / EXACT_POWERS[-exponent]! : mantissa * EXACT_POWERS[exponent]!
    return minus ? -value : value
  }
  return Number(bytes.toString('latin1', at, p))
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}
