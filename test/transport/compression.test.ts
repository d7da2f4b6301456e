import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { DecompressionError } from '../../src/transport/codecs/decompression-error.ts'
import { Output } from '../../src/transport/codecs/output.ts'
import { publicInflate, publicUnzstd } from '../../src/transport/codecs/public-zlib.ts'
import { compress, decompress, type Encoding, joined } from '../../src/transport/compression.ts'

const ENCODINGS: readonly Encoding[] = ['gzip', 'zstd', 'deflate', 'zlib', 'snappy', 'x-snappy-framed', 'lz4']
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
      { numRuns: 40 },
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

  test('is asked for before memory is taken, and no more than that is', async () => {
    const plain = Buffer.from(Array.from({ length: 9000 }, (_, i) => `${i % 97} ${i % 31}`).join())
    const packed = await compress(encoding, [plain])
    const granted: number[] = []
    const take = (most: number) => (bytes: number) => {
      granted.push(bytes)
      return granted.reduce((sum, it) => sum + it) <= most
    }
    const held = arenas.held
    const out = decompress(encoding, packed, { ...LIMIT, reserve: take(Infinity) })
    expect(Buffer.compare(out, plain)).toBe(0)
    // What is granted is what the memory is long: the output and what of its last piece stays empty.
    const needed = granted.reduce((sum, it) => sum + it)
    expect(needed).toBeGreaterThanOrEqual(plain.length)
    expect(arenas.held).toBe(held + 1)
    arenas.release(out)
    granted.length = 0
    expect(() => decompress(encoding, packed, { ...LIMIT, reserve: take(plain.length - 1) })).toThrow(
      expect.objectContaining({ name: 'DecompressionError', reason: 'no_room' }),
    )
    expect(arenas.held).toBe(held)
  })

  test('nothing comes back as nothing, and what was expected to be more lies in no more than it needs', async () => {
    const held = arenas.held
    expect(decompress(encoding, await compress(encoding, [new Uint8Array(0)]), LIMIT)).toHaveLength(0)
    expect(arenas.held).toBe(held)
    let state = 1
    const noise = Uint8Array.from({ length: 100_000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
      return state >>> 16
    })
    const out = decompress(encoding, await compress(encoding, [noise]), LIMIT)
    // The arena of this length; one of what is usual for as many compressed bytes would be eight times as large.
    const fitting = arenas.take(noise.length)
    expect(out.buffer.byteLength).toBe(fitting.buffer.byteLength)
    arenas.release(fitting)
    arenas.release(out)
    expect(arenas.held).toBe(held)
  })

  test.each([0, 1, 15, 16, 17, 60, 61, 64, 65, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 131_073, 262_145])(
    'comes back at %i bytes, of a run, of text and of noise',
    async (length) => {
      const text = Buffer.alloc(length, 'GET /api/items 200 in 17 ms; ')
      let state = length
      const noise = Uint8Array.from({ length }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
        return state >>> 16
      })
      const mixed = Buffer.concat([noise.subarray(0, length >> 1), text.subarray(length >> 1)])
      for (const plain of [new Uint8Array(length), text, noise, mixed]) {
        const out = decompress(encoding, await compress(encoding, [plain]), { limit: length })
        expect(Buffer.compare(out, plain)).toBe(0)
        arenas.release(out)
      }
    },
  )
})

describe.each(['gzip', 'zlib', 'deflate', 'zstd'] as const)('%s', (encoding) => {
  test('levels are taken', async () => {
    const data = Buffer.from(Array.from({ length: 4000 }, (_, i) => `${i % 97} ${i % 31}`).join())
    const [fast, strong] = await Promise.all([compress(encoding, [data], 1), compress(encoding, [data], 9)])
    expect(strong.length).toBeLessThan(fast.length)
  })
})

test.each(['gzip', 'zlib'] as const)('%s: -1 is the usual level, -2 Huffman coding alone', async (encoding) => {
  const data = Buffer.alloc(3000, 'abcdefgh')
  const sizes = await Promise.all([1, 6, -1, -2].map(async (level) => (await compress(encoding, [data], level)).length))
  expect(sizes[2]).toBe(sizes[1])
  expect(sizes[3]).toBeGreaterThan(sizes[0]! * 10)
})

test('zstd: levels beyond its own stand for the nearest', async () => {
  const data = Buffer.from(Array.from({ length: 400 }, (_, i) => `${i % 97} ${i % 31}`).join())
  const at = (level: number): Promise<Uint8Array> => compress('zstd', [data], level)
  expect(await at(-5)).toEqual(await at(1))
  expect(await at(99)).toEqual(await at(22))
})

test.each(['gzip', 'zlib', 'zstd'] as const)(
  '%s: an encoder that is used again writes what a new one would',
  async (encoding) => {
    const one = { gzip: zlib.gunzipSync, zlib: zlib.inflateSync, zstd: zlib.zstdDecompressSync }[encoding]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 8191 }), { minLength: 2, maxLength: 6 }), async (bodies) => {
        const held = arenas.held
        for (const body of bodies) expect(Buffer.compare(one(await compress(encoding, [body], 3)), body)).toBe(0)
        expect(arenas.held).toBe(held)
      }),
      { numRuns: 40 },
    )
  },
)

describe('the public functions of node:zlib, where its streams are built differently', () => {
  const LIMIT_BYTES = 200_000
  const plainly = (encoding: 'gzip' | 'zlib' | 'zstd', packed: Uint8Array): Uint8Array => {
    const output = new Output(64, LIMIT_BYTES, undefined)
    try {
      if (encoding === 'zstd') publicUnzstd(packed, output, LIMIT_BYTES)
      else publicInflate(encoding, packed, output, LIMIT_BYTES)
      return output.take()
    } catch (error) {
      output.discard()
      throw error
    }
  }
  test.each(['gzip', 'zlib', 'zstd'] as const)('%s: the same bytes, or an error as well', async (encoding) => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 0, max: 400_000 }).map((length) => new Uint8Array(length)),
    )
    const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 3 }), damage, fc.boolean(), async (parts, edit, cut) => {
        // Only zlib has no notion of several.
        const members = encoding === 'zlib' ? parts.slice(0, 1) : parts
        const packed = Buffer.concat(await Promise.all(members.map((part) => compress(encoding, [part]))))
        if (edit !== undefined && packed.length > 0) packed[edit[0] % packed.length]! ^= edit[1]
        const input = cut ? packed.subarray(0, packed.length - 1) : packed
        const outcome = (decode: () => Uint8Array): string => {
          try {
            const out = decode()
            const shown = `${out.length} ${zlib.crc32(out)}`
            arenas.release(out)
            return shown
          } catch (error) {
            return error instanceof DecompressionError ? 'refused' : `threw ${String(error)}`
          }
        }
        const fast = outcome(() => decompress(encoding, input, { limit: LIMIT_BYTES }))
        expect(fast).not.toContain('threw')
        expect(fast).toBe(outcome(() => plainly(encoding, input)))
      }),
      { numRuns: 120, seed: 4 },
    )
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
