import { int32At } from './text.ts'

/*
 * MurmurHash3, the 32-bit variant for x86 (Austin Appleby, public domain): four bytes a step, every bit of the result depends on
 * every bit of the input. Two results are compared between processes that share the work, so the function never changes.
 */

const C1 = 0xcc9e2d51 | 0
const C2 = 0x1b873593

/** Hash of `bytes[start, end)` as a signed 32-bit integer. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let hash = seed
  let p = start
  for (const last = end - 4; p <= last; p += 4) hash = step(hash, int32At(bytes, p))
  if (p < end) {
    let rest = 0
    for (let shift = 0; p < end; shift += 8) rest |= bytes[p++]! << shift
    hash ^= scramble(rest)
  }
  return finish(hash ^ (end - start))
}

/** Hash of two numbers, in this order. */
export function hashPair(first: number, second: number, seed = 0): number {
  return finish(step(step(seed, first), second) ^ 8)
}

function step(hash: number, word: number): number {
  const mixed = hash ^ scramble(word)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function scramble(word: number): number {
  const mixed = Math.imul(word, C1)
  return Math.imul((mixed << 15) | (mixed >>> 17), C2)
}

function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
