import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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

function reasonOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error.reason
    throw error
  }
}
