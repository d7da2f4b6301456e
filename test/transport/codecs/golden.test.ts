import { expect, test } from 'vitest'
import { arenas } from '../../../src/otlp/arena.ts'
import { decompress } from '../../../src/transport/compression.ts'
import { GOLDEN, pattern } from './golden.ts'

// What other libraries wrote; that they read what is written here shows against the Go Collector, in test/interop.

test.each(GOLDEN)('$encoding by $how', ({ encoding, length, hex }) => {
  const expected = length < 0 ? Uint8Array.from({ length: -length }, (_, i) => i) : pattern(length)
  const granted: number[] = []
  const reserve = (bytes: number): boolean => granted.push(bytes) > 0
  const out = decompress(encoding, Buffer.from(hex, 'hex'), { limit: expected.length, reserve })
  expect(Buffer.compare(out, expected)).toBe(0)
  arenas.release(out)
  // The structure of snappy and lz4 tells the length, and zstd announces it where it was asked to.
  if (encoding !== 'zstd') expect(granted).toEqual([expected.length])
})

test.each([
  ['zstd', 'an empty frame', '28b52ffd2000010000'],
  ['zstd', 'a skippable frame', '502a4d1800000000'],
  ['lz4', 'a skippable frame', '502a4d1800000000'],
  ['x-snappy-framed', 'an identifier', 'ff060000734e61507059'],
] as const)('%s: %s 4096 times is nothing, once more is refused', (encoding, _what, hex) => {
  const times = (count: number): Uint8Array => Buffer.from(hex.repeat(count), 'hex')
  expect(decompress(encoding, times(4096), { limit: 100 })).toHaveLength(0)
  expect(() => decompress(encoding, times(4097), { limit: 100 })).toThrow(/more than 4096/)
})

test.each(GOLDEN)('$encoding by $how, one byte less allowed', ({ encoding, length, hex }) => {
  const limit = Math.abs(length) - 1
  const held = arenas.held
  expect(() => decompress(encoding, Buffer.from(hex, 'hex'), { limit })).toThrow(
    expect.objectContaining({ reason: 'too_large' }),
  )
  expect(arenas.held).toBe(held)
})
