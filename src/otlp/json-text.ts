/** JSON's strings and whitespace as bytes of UTF-8. */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The first position from `at` on that is no whitespace, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let p = at
  for (; p < end; p++) {
    const byte = bytes[p]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
  }
  return p
}

/** Whether the string that `stringEnd` was asked for last has escapes. */
export let hasEscapes = false

/** Position of the quote that ends the string whose content begins at `at`; -1 where none does. */
export function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  hasEscapes = false
  for (let p = at; p < end; p++) {
    const byte = bytes[p]!
    if (byte === QUOTE) return p
    if (byte === BACKSLASH) {
      hasEscapes = true
      p++
    }
  }
  return -1
}

const SIMPLE = new Uint8Array(128)
for (const [letter, byte] of Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  SIMPLE[letter.charCodeAt(0)] = byte
}

/** Where the escape stands that `unescaped` could not read. */
export let badEscapeAt = 0

/**
 * The content of a string, `from[start, end)`, without its escapes to `to[at, …)`, which takes at most as many bytes. A surrogate
 * without its other half becomes U+FFFD. Returns where it ended; -1 where an escape is none.
 */
export function unescaped(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  let out = at
  for (let p = start; p < end; ) {
    const byte = from[p]!
    if (byte !== BACKSLASH) {
      to[out++] = byte
      p++
      continue
    }
    badEscapeAt = p
    const letter = p + 1 < end ? from[p + 1]! : 0
    const simple = letter < 128 ? SIMPLE[letter]! : 0
    if (simple !== 0) {
      to[out++] = simple
      p += 2
      continue
    }
    let code = hexUnit(from, p, end)
    if (code < 0) return -1
    p += 6
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 ? hexUnit(from, p, end) : -1
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        p += 6
      } else code = 0xfffd
    }
    if (code < 0x80) to[out++] = code
    else {
      if (code < 0x800) to[out++] = 0xc0 | (code >> 6)
      else {
        if (code < 0x1_0000) to[out++] = 0xe0 | (code >> 12)
        else {
          to[out++] = 0xf0 | (code >> 18)
          to[out++] = 0x80 | ((code >> 12) & 63)
        }
        to[out++] = 0x80 | ((code >> 6) & 63)
      }
      to[out++] = 0x80 | (code & 63)
    }
  }
  return out
}

/** The UTF-16 unit that an escape `\uXXXX` at `at` stands for; -1 where there is none. */
function hexUnit(bytes: Uint8Array, at: number, end: number): number {
  if (at + 6 > end || bytes[at] !== BACKSLASH || bytes[at + 1] !== 0x75) return -1
  let code = 0
  for (let p = at + 2; p < at + 6; p++) {
    const digit = hexDigit(bytes[p]!)
    if (digit < 0) return -1
    code = code * 16 + digit
  }
  return code
}

/** Value of a hexadecimal digit of either case; -1 for any other byte. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

const BASE64 = new Int8Array(256).fill(-1)
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let value = 0; value < DIGITS.length; value++) BASE64[DIGITS.charCodeAt(value)] = value
// The URL alphabet's two (RFC 4648, section 5), which proto3's JSON takes as well.
BASE64[0x2d] = 62
BASE64[0x5f] = 63

/** Bytes that `length` base64 digits without padding stand for; -1 where no number of bytes gives as many. */
export function base64Length(length: number): number {
  return length % 4 === 1 ? -1 : Math.floor((length * 3) / 4)
}

/** Decodes base64 digits of either alphabet, `from[start, end)` without padding, to `to[at, …)`; false where another byte is among them. */
export function decodeBase64(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): boolean {
  let out = at
  let bits = 0
  let held = 0
  for (let p = start; p < end; p++) {
    const value = BASE64[from[p]!]!
    if (value < 0) return false
    bits = ((bits << 6) | value) & 0x3fff
    held += 6
    if (held >= 8) {
      held -= 8
      to[out++] = (bits >> held) & 255
    }
  }
  return true
}
