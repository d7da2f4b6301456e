import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ZstdFrames } from '../../../src/transport/codecs/zstd-frames.ts'
import { compress, decompress } from '../../../src/transport/compression.ts'
import { GOLDEN } from './golden.ts'

const LIMIT = { limit: 200_000 }

/** One frame that does not say its length; its sixth byte is the window's. */
const unsized = (): Buffer =>
  Buffer.from(GOLDEN.find(({ encoding, how }) => encoding === 'zstd' && how.includes('does not say'))!.hex, 'hex')

function refusal(bytes: Uint8Array): string {
  try {
    decompress('zstd', bytes, LIMIT)
    return 'taken'
  } catch (error) {
    return (error as Error).message
  }
}

test.each([0, 1, 300, 8191, 8192, 300_000])('what is written here announces its %i bytes', async (length) => {
  const frames = new ZstdFrames(await compress('zstd', [Buffer.alloc(length, 'abc')]))
  expect([frames.next(), frames.contentLength, frames.next()]).toEqual([true, length, false])
})

describe('a frame', () => {
  test('says where it ends and, mostly, how long its content is', () => {
    const one = zlib.zstdCompressSync(Buffer.alloc(70_000, 'ab'))
    const two = unsized()
    const frames = new ZstdFrames(Buffer.concat([one, two]))
    expect([frames.next(), frames.start, frames.end, frames.contentLength]).toEqual([true, 0, one.length, 70_000])
    expect([frames.next(), frames.end, frames.contentLength]).toEqual([true, one.length + two.length, -1])
    expect(frames.next()).toBe(false)
  })

  const descriptor = unsized()[4]!
  test.each<[string, number, number, RegExp]>([
    ['that needs a dictionary', 4, descriptor | 1, /needs a dictionary/],
    ['with a reserved bit', 4, descriptor | 8, /reserved bit/],
    ['of another magic', 0, 0, /no zstd frame at byte 0/],
    // 2^28 bytes: what a decoder would have to keep is not the sender's to choose.
    ['with a window of 256 MiB', 5, 18 << 3, /too much memory/],
    ['whose checksum is wrong', -1, unsized().at(-1)! ^ 1, /checksum|corrupt/i],
  ])('%s is refused', (_name, at, byte, expected) => {
    const bytes = unsized()
    bytes[at < 0 ? bytes.length + at : at] = byte
    expect(refusal(bytes)).toMatch(expected)
  })

  test('with a window of 128 MiB is taken, as the zstd command does', () => {
    const bytes = unsized()
    bytes[5] = 17 << 3
    expect(refusal(bytes)).toBe('taken')
  })

  test('that announces more than the limit is refused before anything is decoded', () => {
    const asked: number[] = []
    const reserve = (bytes: number): boolean => asked.push(bytes) > 0
    const bomb = zlib.zstdCompressSync(new Uint8Array(64 << 20))
    expect(() => decompress('zstd', bomb, { ...LIMIT, reserve })).toThrow(
      expect.objectContaining({ reason: 'too_large' }),
    )
    expect(asked).toEqual([])
  })
})
