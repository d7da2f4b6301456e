import type { Message } from './message.ts'
import { doubleAt, int32At } from './text.ts'
import * as varint from './varint.ts'

/*
 * Lists of numbers, which a histogram has and hooks seldom read: they are found by scanning the message again. Each may come
 * packed, unpacked and in pieces.
 */

const FIXED64 = 1
const LEN = 2

/** Calls `element` with the place of each element of a fixed64 or double field. */
function eachFixed64(message: Message, field: number, element: (at: number) => void): void {
  const { buffer, end } = message
  for (let p = message.start; p < end; ) {
    const tag = varint.readTag(buffer, p, end)
    const at = varint.after
    p = varint.skipValue(buffer, tag, at, end)
    if (tag === ((field << 3) | FIXED64)) element(at)
    else if (tag === ((field << 3) | LEN)) {
      varint.readLength(buffer, at, end)
      for (let q = varint.after; q + 8 <= p; q += 8) element(q)
    }
  }
}

/** A repeated fixed64 field; past 2^53 rounded. */
export function fixed64List(message: Message, field: number): number[] {
  const { buffer } = message
  const list: number[] = []
  eachFixed64(message, field, (at) =>
    list.push((int32At(buffer, at + 4) >>> 0) * 2 ** 32 + (int32At(buffer, at) >>> 0)),
  )
  return list
}

/** A repeated double field. */
export function doubleList(message: Message, field: number): number[] {
  const { buffer } = message
  const list: number[] = []
  eachFixed64(message, field, (at) => list.push(doubleAt(buffer, at)))
  return list
}

/** The Buckets of an exponential histogram in `buffer[start, end)`. */
export function buckets(buffer: Uint8Array, start: number, end: number): { offset: number; counts: number[] } {
  let offset = 0
  const counts: number[] = []
  for (let p = start; p < end; ) {
    const tag = varint.readTag(buffer, p, end)
    const at = varint.after
    p = varint.skipValue(buffer, tag, at, end)
    if (tag === 8) {
      varint.readVarint64(buffer, at, end)
      offset = zigzag(varint.low)
    } else if (tag === 16) counts.push(uint64(buffer, at, end))
    else if (tag === 18) {
      varint.readLength(buffer, at, end)
      for (let q = varint.after; q < p; q = varint.after) counts.push(uint64(buffer, q, p))
    }
  }
  return { offset, counts }
}

/** The varint at `at`, rounded once where it is past 2^53; `varint.after` is its end. */
function uint64(buffer: Uint8Array, at: number, end: number): number {
  varint.readVarint64(buffer, at, end)
  return (varint.high >>> 0) * 2 ** 32 + (varint.low >>> 0)
}

/** The number that a sint32 stands for. */
export function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

/** The ValueAtQuantile messages of a summary point. */
export function quantileList(message: Message, field: number): { quantile: number; value: number }[] {
  const { buffer, end } = message
  const list: { quantile: number; value: number }[] = []
  for (let p = message.start; p < end; ) {
    const tag = varint.readTag(buffer, p, end)
    const at = varint.after
    p = varint.skipValue(buffer, tag, at, end)
    if (tag !== ((field << 3) | LEN)) continue
    varint.readLength(buffer, at, end)
    const entry = { quantile: 0, value: 0 }
    for (let q = varint.after; q < p; ) {
      const inner = varint.readTag(buffer, q, p)
      const innerAt = varint.after
      q = varint.skipValue(buffer, inner, innerAt, p)
      if (inner === 9) entry.quantile = doubleAt(buffer, innerAt)
      else if (inner === 17) entry.value = doubleAt(buffer, innerAt)
    }
    list.push(entry)
  }
  return list
}
