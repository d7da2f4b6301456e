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

test.each(GOLDEN)('$encoding by $how, one byte less allowed', ({ encoding, length, hex }) => {
  const limit = Math.abs(length) - 1
  const held = arenas.held
  expect(() => decompress(encoding, Buffer.from(hex, 'hex'), { limit })).toThrow(
    expect.objectContaining({ reason: 'too_large' }),
  )
  expect(arenas.held).toBe(held)
})
