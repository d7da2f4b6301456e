import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arenas } from '../../../src/otlp/arena.ts'
import { DecompressionError } from '../../../src/transport/codecs/decompression-error.ts'
import { compress, decompress, type Encoding } from '../../../src/transport/compression.ts'
import { GOLDEN } from './golden.ts'

// Nothing that arrives may crash the thread, hold it up, or take more memory than was granted. Not shown here: time per
// byte, which for all of the formats is bounded by what they read and write.

const MUTATIONS = 16_000
const LIMIT = 200_000

/** Small and large, plain and random, of one block and of several. */
async function seeds(encoding: Encoding): Promise<Uint8Array[]> {
  const [random] = fc.sample(fc.uint8Array({ minLength: 70_000, maxLength: 70_000 }), { numRuns: 1, seed: 11 })
  const text = Buffer.from(Array.from({ length: 900 }, (_, i) => `span ${i % 90} of ${i % 7};`).join(''))
  const plain = [Buffer.alloc(0), Buffer.from('a'), text.subarray(0, 300), text, random!, Buffer.alloc(150_000)]
  const packed = await Promise.all(plain.map((bytes) => compress(encoding, [bytes])))
  const golden = GOLDEN.filter((it) => it.encoding === encoding).map((it) => Buffer.from(it.hex, 'hex'))
  // Several members: only these may stand behind one another.
  const joined = encoding === 'gzip' ? [Buffer.concat([zlib.gzipSync('one'), zlib.gzipSync('two')])] : []
  return [...packed, ...golden, ...joined]
}

test.each<Encoding>(['gzip', 'zstd', 'zlib', 'snappy', 'x-snappy-framed', 'lz4', 'deflate'])(
  `%s: ${MUTATIONS} mutations end in an error or in bytes, within what was granted`,
  async (encoding) => {
    const from = await seeds(encoding)
    const held = arenas.held
    let state = 20_261_121
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
      return (state >>> 4) % limit
    }
    const seen = { malformed: 0, too_large: 0, no_room: 0, bytes: 0 }
    for (let i = 0; i < MUTATIONS; i++) {
      // Damage at the front of the large ones is the most telling, and most of them are refused there.
      const seed = from[i % from.length]!
      let mutated = Buffer.from(seed)
      for (let edits = below(3); edits >= 0 && mutated.length > 0; edits--) {
        const at = below(3) === 0 ? below(mutated.length) : below(Math.min(mutated.length, 40))
        switch (below(5)) {
          case 0:
            mutated = mutated.subarray(0, at)
            break
          case 1:
            mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + 1 + below(4))])
            break
          case 2:
            mutated = Buffer.concat([mutated.subarray(0, at), Buffer.of(below(256)), mutated.subarray(at)])
            break
          case 3:
            mutated[at] = below(2) === 0 ? 0xff : 0
            break
          default:
            mutated[at] = mutated[at]! ^ (1 << below(8))
        }
      }
      let granted = 0
      const most = below(8) === 0 ? 4096 : LIMIT
      const reserve = (bytes: number): boolean => {
        if (granted + bytes > most) return false
        granted += bytes
        return true
      }
      try {
        const out = decompress(encoding, mutated, { limit: LIMIT, reserve })
        seen.bytes++
        if (out.length > granted) throw new Error(`mutation ${i}: ${out.length} bytes, ${granted} granted`)
        arenas.release(out)
      } catch (error) {
        if (!(error instanceof DecompressionError)) throw error
        seen[error.reason]++
      }
    }
    expect(seen.malformed).toBeGreaterThan(MUTATIONS / 10)
    expect(seen.bytes).toBeGreaterThan(0)
    expect(seen.no_room).toBeGreaterThan(0)
    expect(seen.malformed + seen.too_large + seen.no_room + seen.bytes).toBe(MUTATIONS)
    expect(arenas.held).toBe(held)
  },
)
