import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashBytes, hashPair } from '../../src/otlp/hash.ts'

/** Published values of MurmurHash3_x86_32, as users of the reference code quote them. */
const KNOWN: readonly (readonly [text: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['\xff\xff\xff\xff', 0, 0x76293b50],
  ['!Ce\x87', 0, 0xf55b516b],
  ['!Ce\x87', 0x5082edee, 0x2362f9de],
  ['!Ce', 0, 0x7e4a8634],
  ['!C', 0, 0xa0f7b07a],
  ['!', 0, 0x72661cf4],
  ['\0\0\0\0', 0, 0x2362f9de],
  ['\0\0\0', 0, 0x85f0b427],
  ['\0\0', 0, 0x30f4c306],
  ['\0', 0, 0x514e28b7],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
]

test.each(KNOWN)('%j with seed %d', (text, seed, hash) => {
  const bytes = Buffer.from(text, 'latin1')
  expect(hashBytes(bytes, 0, bytes.length, seed | 0) >>> 0).toBe(hash)
})

test('only the bytes of the range count, wherever they lie', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (before, bytes, after) => {
      const around = Buffer.concat([before, bytes, after])
      expect(hashBytes(around, before.length, before.length + bytes.length)).toBe(hashBytes(bytes, 0, bytes.length))
    }),
  )
})

test('a pair is hashed as its eight bytes are', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (first, second) => {
      const bytes = Buffer.alloc(8)
      bytes.writeInt32LE(first | 0, 0)
      bytes.writeInt32LE(second | 0, 4)
      expect(hashPair(first, second)).toBe(hashBytes(bytes, 0, 8))
    }),
  )
})
