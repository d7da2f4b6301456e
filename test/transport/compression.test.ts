import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecompressionError } from '../../src/transport/codecs/decompression-error.ts'
import { compress, decompress, type Encoding, joined } from '../../src/transport/compression.ts'

const ENCODINGS: readonly Encoding[] = ['gzip', 'zstd', 'deflate', 'zlib']
const LIMIT = { limit: 1 << 20 }

describe.each(ENCODINGS)('%s', (encoding) => {
  test('comes back, from any number of chunks', async () => {
    const chunk = fc.uint8Array({ maxLength: 300 })
    const repeated = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 20_000 }))
    const long = repeated.map(([part, times]) => Uint8Array.from({ length: times }, (_, i) => part[i % part.length]!))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(chunk, long), { maxLength: 4 }), async (chunks) => {
        const whole = Buffer.concat(chunks)
        const packed = await compress(encoding, chunks)
        expect(Buffer.compare(decompress(encoding, packed, LIMIT), whole)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  test('may grow to the limit and not past it', async () => {
    const packed = await compress(encoding, [new Uint8Array(10_000)])
    expect(decompress(encoding, packed, { limit: 10_000 })).toHaveLength(10_000)
    expect(() => decompress(encoding, packed, { limit: 9_999 })).toThrow(
      expect.objectContaining({ name: 'DecompressionError', tooLarge: true }),
    )
  })

  test('a bomb costs no more than the limit', async () => {
    const packed = await compress(encoding, [new Uint8Array(64 << 20)])
    const before = process.memoryUsage().arrayBuffers
    expect(() => decompress(encoding, packed, { limit: 1 << 20 })).toThrow(DecompressionError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20)
  })

  test('that is cut short, or none, is an error and not a crash', async () => {
    const packed = await compress(encoding, [Uint8Array.from({ length: 5000 }, (_, i) => i * i)])
    for (const broken of [
      packed.subarray(0, packed.length - 9),
      packed.subarray(0, 5),
      Buffer.from('garbage garbage'),
    ]) {
      expect(() => decompress(encoding, broken, LIMIT)).toThrow(
        expect.objectContaining({ name: 'DecompressionError', tooLarge: false }),
      )
    }
  })

  test('levels are taken', async () => {
    const data = Buffer.from(Array.from({ length: 4000 }, (_, i) => `${i % 97} ${i % 31}`).join())
    const [fast, strong] = await Promise.all([compress(encoding, [data], 1), compress(encoding, [data], 9)])
    expect(strong.length).toBeLessThan(fast.length)
  })
})

test('gzip of several members is read whole', () => {
  const members = Buffer.concat([zlib.gzipSync('first '), zlib.gzipSync('second')])
  expect(Buffer.from(decompress('gzip', members, LIMIT)).toString()).toBe('first second')
})

test('zstd of several frames is read whole, skippable frames left out', () => {
  const skippable = Buffer.from('5a2a4d1803000000ffffff', 'hex')
  const frames = [
    zlib.zstdCompressSync('first '),
    skippable,
    zlib.zstdCompressSync(''),
    zlib.zstdCompressSync('second'),
  ]
  expect(Buffer.from(decompress('zstd', Buffer.concat(frames), LIMIT)).toString()).toBe('first second')
})

test('a lie about the size costs nothing', () => {
  const packed = zlib.gzipSync('small')
  packed.writeUInt32LE(0xffff_ffff, packed.length - 4)
  expect(() => decompress('gzip', packed, LIMIT)).toThrow(DecompressionError)
})

test('chunks are joined without a copy where there is only one', () => {
  const one = Uint8Array.of(1, 2)
  expect(joined([one])).toBe(one)
  expect([...joined([one, Uint8Array.of(3)])]).toEqual([1, 2, 3])
  expect(joined([])).toHaveLength(0)
})
