import * as zlib from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { arenas } from '../../../src/otlp/arena.ts'
import { compress, decompress } from '../../../src/transport/compression.ts'

// A Node whose streams are built differently: everything goes through its public functions.
vi.mock('../../../src/transport/codecs/native-codec.ts', () => ({ NativeCodec: { of: () => undefined } }))

const text = Buffer.alloc(5000, 'GET /api/items 200 in 17 ms; ')

test.each(['gzip', 'zlib', 'deflate', 'zstd'] as const)('%s is written and read', async (encoding) => {
  const held = arenas.held
  for (const plain of [text.subarray(0, 0), text.subarray(0, 10), text, Buffer.alloc(200_000, text)]) {
    const granted: number[] = []
    const reserve = (bytes: number): boolean => granted.push(bytes) > 0
    const out = decompress(encoding, await compress(encoding, [plain]), { limit: plain.length, reserve })
    expect(Buffer.compare(out, plain)).toBe(0)
    expect(granted.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(plain.length)
    arenas.release(out)
  }
  expect(arenas.held).toBe(held)
})

test.each(['gzip', 'zlib', 'deflate', 'zstd'] as const)(
  '%s past the limit, or broken, is refused',
  async (encoding) => {
    const held = arenas.held
    const packed = await compress(encoding, [new Uint8Array(1 << 20)])
    expect(() => decompress(encoding, packed, { limit: 100_000 })).toThrow(
      expect.objectContaining({ reason: 'too_large' }),
    )
    expect(() => decompress(encoding, packed.subarray(0, packed.length - 5), { limit: 2 << 20 })).toThrow(
      expect.objectContaining({ reason: 'malformed' }),
    )
    expect(arenas.held).toBe(held)
  },
)

test('several gzip members and several zstd frames are read to the end', () => {
  const gzip = Buffer.concat([zlib.gzipSync('first '), zlib.gzipSync('second')])
  const zstd = Buffer.concat([zlib.zstdCompressSync('first '), zlib.zstdCompressSync('second')])
  expect(String(decompress('gzip', gzip, { limit: 100 }))).toBe('first second')
  expect(String(decompress('zstd', zstd, { limit: 100 }))).toBe('first second')
})
