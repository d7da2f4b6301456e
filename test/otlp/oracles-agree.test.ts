import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { SIGNALS } from '../../src/otlp/batch.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { readProtobufEs, readProtobufjs, withoutDefaults, writeProtobufEs } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

// Ten seconds a property where the machine is idle, and often it is not.
vi.setConfig({ testTimeout: 180_000 })

// The judges judged: what the other tests of this folder rely on.
describe.each(SIGNALS)('%s', (signal) => {
  test('protobufjs and protobuf-es read what either writes, by our schema', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes }) => {
        const expected = withoutDefaults(REQUESTS[signal], object)
        expect(readProtobufEs(signal, bytes)).toEqual(expected)
        const other = writeProtobufEs(signal, object)
        if (signal !== 'profiles') expect(readProtobufjs(signal, other)).toEqual(expected)
      }),
      { numRuns: 2_000 },
    )
  })

  test('an unusual encoding means the same', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
        expect(readProtobufEs(signal, unusual(signal, bytes, random))).toEqual(
          withoutDefaults(REQUESTS[signal], object),
        )
      }),
      { numRuns: 2_000 },
    )
  })
})
