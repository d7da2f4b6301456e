import { hashBytes, hashPair } from './hash.ts'
import * as varint from './varint.ts'

/*
 * Hashes of attributes by what they mean, not by how they are written: the order of attributes, the order of fields and the length of
 * varints do not matter, so that one series has one hash whoever sends it. Nested arrays and maps count as the bytes that they are.
 */

// Tags of a KeyValue and of an AnyValue.
const KEY = 10
const VALUE = 18
const STRING = 10
const BOOL = 16
const INT = 24
const DOUBLE = 33
const KVLIST = 50

/** Hash of all attributes of a message, which is `bytes[start, end)` and has them under `tag`; 0 where there are none. */
export function hashAttributes(bytes: Uint8Array, start: number, end: number, tag: number): number {
  let sum = 0
  for (let p = start; p < end; ) {
    let found = bytes[p]!
    if (found < 128) p++
    else {
      found = varint.readTag(bytes, p, end)
      p = varint.after
    }
    if (found !== tag) {
      p = varint.skipValue(bytes, found, p, end)
      continue
    }
    const length = varint.readLength(bytes, p, end)
    const at = varint.after
    p = at + length
    // A sum, so that the order does not matter.
    sum = (sum + hashPairOf(bytes, at, p)) | 0
  }
  return sum
}

/**
 * Hash of the value of the first attribute with this key; `NO_VALUE` where there is none. The message is `bytes[start, end)` and has its
 * attributes under `tag`.
 */
export function hashValueOf(bytes: Uint8Array, start: number, end: number, tag: number, key: Uint8Array): number {
  for (let p = start; p < end; ) {
    const found = varint.readTag(bytes, p, end)
    const at = varint.after
    p = varint.skipValue(bytes, found, at, end)
    if (found !== tag) continue
    varint.readLength(bytes, at, end)
    const from = varint.after
    const value = readPair(bytes, from, p)
    if (sameBytes(bytes, keyStart, keyEnd, key)) return value
  }
  return NO_VALUE
}

/** Outside of what a hash can be. */
export const NO_VALUE: number = 2 ** 32

/** Key of the pair that `readPair` read last. */
let keyStart = 0
let keyEnd = 0

function hashPairOf(bytes: Uint8Array, start: number, end: number): number {
  const value = readPair(bytes, start, end)
  return hashPair(hashBytes(bytes, keyStart, keyEnd), value)
}

/** Notes where the key is, and gives a hash of the value. */
function readPair(bytes: Uint8Array, start: number, end: number): number {
  keyStart = start
  keyEnd = start
  let value = 0
  for (let p = start; p < end; ) {
    const tag = varint.readTag(bytes, p, end)
    const at = varint.after
    p = varint.skipValue(bytes, tag, at, end)
    if (tag !== KEY && tag !== VALUE) continue
    varint.readLength(bytes, at, end)
    if (tag === KEY) {
      keyStart = varint.after
      keyEnd = p
    } else value = hashValue(bytes, varint.after, p, value)
  }
  return value
}

/** Of an AnyValue's content, which may come in several parts: of the member that is set, which is the last; `before` where none is. */
function hashValue(bytes: Uint8Array, start: number, end: number, before: number): number {
  let hash = before
  for (let p = start; p < end; ) {
    const tag = varint.readTag(bytes, p, end)
    const at = varint.after
    p = varint.skipValue(bytes, tag, at, end)
    if (tag === INT) {
      varint.readVarint64(bytes, at, end)
      hash = hashPair(varint.low, varint.high, INT)
    } else if (tag === BOOL) {
      varint.readVarint64(bytes, at, end)
      hash = hashPair((varint.low | varint.high) === 0 ? 0 : 1, 0, BOOL)
    } else if (tag === DOUBLE) hash = hashBytes(bytes, at, p, DOUBLE)
    else if ((tag & 7) === 2 && tag >= STRING && tag <= LAST_MEMBER) {
      varint.readLength(bytes, at, end)
      hash = hashBytes(bytes, varint.after, p, tag)
    }
  }
  return hash
}

/** Bytes, the last member of AnyValue that is known; arrays and maps come before. */
const LAST_MEMBER = KVLIST + 8

function sameBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false
  return true
}
