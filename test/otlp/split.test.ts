import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { type Piece, split } from '../../src/otlp/split.ts'
import { validate } from '../../src/otlp/validate.ts'
import { arbitraryRequest, randomRequest } from './support/arbitraries.ts'
import { readProtobufEs, withoutDefaults } from './support/oracles.ts'
import { Random } from './support/random.ts'
import { itemsWithSurroundings } from './support/surroundings.ts'
import { unusual } from './support/unusual.ts'

describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
  const schema = REQUESTS[signal]
  const read = (bytes: Uint8Array) => withoutDefaults(schema, readProtobufEs(signal, bytes))

  function expectSame(bytes: Uint8Array, pieces: readonly Piece[]): void {
    const actual = pieces.flatMap((piece) => itemsWithSurroundings(read(piece.bytes)))
    const expected = itemsWithSurroundings(read(bytes))
    if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
    for (const piece of pieces) expect(validate(signal, piece.bytes)).toBe(piece.items)
  }

  test('pieces are at most so many times as large as the whole together, or the whole comes back', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const maxGrowth = 1 + random.below(20) / 10
        const pieces = split(signal, bytes, { maxItems: 1 + random.below(3), maxGrowth })
        if (pieces.length === 1 && pieces[0]!.bytes === bytes) return
        const total = pieces.reduce((sum, piece) => sum + piece.bytes.byteLength, 0)
        expect(total).toBeLessThanOrEqual(bytes.byteLength * maxGrowth)
        expectSame(bytes, pieces)
      }),
      { numRuns: 500 },
    )
  })

  test('pieces hold the items in order, each with what was around it, within the limit', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const input = random.chance(0.5) ? bytes : unusual(signal, bytes, random)
        const maxItems = 1 + random.below(4)
        const byItems = split(signal, input, { maxItems })
        expectSame(input, byItems)
        for (const piece of byItems) expect(piece.items).toBeLessThanOrEqual(maxItems)
        const maxBytes = 1 + random.below(input.length * 2 + 1)
        const byBytes = split(signal, input, { maxBytes })
        expectSame(input, byBytes)
        for (const piece of byBytes) {
          if (piece.bytes.length > maxBytes) expect(itemsWithSurroundings(read(piece.bytes)).length).toBeLessThan(2)
        }
      }),
      { numRuns: 10_000 },
    )
  }, 300_000)

  test('a request within the limits comes back as it is', () => {
    const { bytes } = randomRequest(signal, new Random(1), 4)
    const items = validate(signal, bytes)
    const [only, ...others] = split(signal, bytes, { maxItems: Math.max(1, items), maxBytes: bytes.length })
    expect(only?.bytes).toBe(bytes)
    expect(only?.items).toBe(items)
    expect(others).toEqual([])
  })
})
