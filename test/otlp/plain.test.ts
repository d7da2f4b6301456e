import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { canonicalise, readPlain } from '../../src/otlp/plain.ts'
import { toPlain } from '../../src/otlp/plain-object.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { mutate } from './support/mutate.ts'
import { readProtobufEs, readProtobufjs, withoutDefaults } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

// Ten seconds a property where the machine is idle, and often it is not.
vi.setConfig({ testTimeout: 180_000 })

const RUNS = 10_000

function meaning(signal: Signal, bytes: Uint8Array): unknown {
  return withoutDefaults(REQUESTS[signal], toPlain(signal, bytes))
}

/** vitest's `toEqual` costs ten times the comparison; it is for the case that failed. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
}

describe.each(SIGNALS)('%s', (signal) => {
  test('reading and writing canonical bytes gives the same bytes', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes }) => {
        expect(Buffer.compare(readPlain(signal, bytes).write(), bytes)).toBe(0)
        expect(Buffer.compare(canonicalise(signal, bytes), bytes)).toBe(0)
      }),
      { numRuns: RUNS },
    )
  })

  test('toPlain reads what protobufjs reads', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes }) => {
        const expected = signal === 'profiles' ? readProtobufEs(signal, bytes) : readProtobufjs(signal, bytes)
        expectSame(meaning(signal, bytes), expected)
      }),
      { numRuns: RUNS },
    )
  })

  test('canonical bytes mean what the unusual ones meant, to protobufjs as well', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
        const strange = unusual(signal, bytes, random)
        const expected = withoutDefaults(REQUESTS[signal], object)
        const canonical = canonicalise(signal, strange)
        expect(Buffer.compare(canonicalise(signal, canonical), canonical)).toBe(0)
        expectSame(
          signal === 'profiles' ? readProtobufEs(signal, canonical) : readProtobufjs(signal, canonical),
          expected,
        )
        expectSame(meaning(signal, strange), expected)
      }),
      { numRuns: RUNS },
    )
  })

  test('bytes with something wrong are refused exactly where validate refuses them, else read as protobuf-es does', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const mutated = mutate(bytes, random)
        const refused = reasonOf(() => validate(signal, mutated))
        expect(reasonOf(() => toPlain(signal, mutated)) !== undefined).toBe(refused !== undefined)
        if (refused === undefined) expectSame(meaning(signal, mutated), readProtobufEs(signal, mutated))
      }),
      { numRuns: RUNS },
    )
  })
})

describe('what canonicalising keeps', () => {
  test.each(SIGNALS)('unknown fields of %s byte for byte, wherever they stand', (signal) => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const strange = unusual(signal, bytes, random, { unknown: true })
        expect(Buffer.compare(canonicalise(signal, strange), strange)).toBe(0)
      }),
      { numRuns: RUNS },
    )
  })

  test('padded tags and lengths of unknown fields, and invalid UTF-8', () => {
    const padded = [0x98, 0x86, 0x80, 0x00, 0x80, 0x00] // field 99, varint 0
    const name = [0x2a, 0x82, 0x00, 0xff, 0xc0] // Span.name, its length in two bytes
    const bytes = requestOf([...padded, ...name])
    expect([...canonicalise('traces', bytes)]).toEqual([...requestOf([...padded, 0x2a, 2, 0xff, 0xc0])])
  })

  test('the last member of a oneof that is set again and again; pieces of one message in a row merge', () => {
    const members = fc.constantFrom<readonly number[]>(
      [0x0a, 1, 0x61], // stringValue
      [0x10, 1], // boolValue
      [0x18, 5], // intValue
      [0x2a, 4, 0x0a, 2, 0x18, 1], // arrayValue [1]
      [0x2a, 0], // arrayValue []
      [0x32, 5, 0x0a, 3, 0x0a, 1, 0x6b], // kvlistValue {k}
    )
    fc.assert(
      fc.property(fc.array(members, { maxLength: 6 }), fc.array(members, { maxLength: 4 }), (first, second) => {
        const pieces = [first, second].map((list) => list.flat())
        // The value itself comes in two pieces as well.
        const bytes = requestOf(pieces.flatMap((piece) => [0x2a, piece.length, ...piece]))
        const expected = readProtobufEs('logs', bytes)
        expectSame(meaning('logs', bytes), expected)
        expectSame(readProtobufjs('logs', canonicalise('logs', bytes)), expected)
      }),
      { numRuns: RUNS },
    )
  })
})

/** A request with one record of these bytes: resources, scopes and records are fields 1, 2 and 2. */
function requestOf(record: readonly number[]): Uint8Array {
  const wrap = (tag: number, content: readonly number[]): number[] => [tag, content.length, ...content]
  return Uint8Array.from(wrap(10, wrap(18, wrap(18, record))))
}
function reasonOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error.reason
    throw error
  }
}
