import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlainEditor } from '../../src/otlp/plain-editor.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { editBoth } from './support/edits.ts'
import { readProtobufEs, readProtobufjs, withoutDefaults } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

const RUNS = 10_000

describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
  test('edits on the plain path are the edits on the object that protobufjs reads', () => {
    const editor = new PlainEditor(signal)
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
        const input = random.chance(0.5) ? bytes : unusual(signal, bytes, random)
        const { chunk, unchanged, expected } = editBoth(signal, editor, input, object, random)
        // What was not edited comes back as unusual as it went in, and that protobufjs cannot read.
        const read = unchanged ? readProtobufEs : readProtobufjs
        const actual = read(signal, chunk ?? new Uint8Array(0))
        const wanted = withoutDefaults(REQUESTS[signal], expected)
        if (!isDeepStrictEqual(actual, wanted)) expect(actual).toStrictEqual(wanted)
        if (unchanged) expect(chunk).toBe(input)
      }),
      { numRuns: RUNS },
    )
  })

  test('without edits the very same bytes come back, unusual as they may be', () => {
    const editor = new PlainEditor(signal)
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
        const input = unusual(signal, bytes, random)
        expect(editBoth(signal, editor, input, object, random, 0)).toMatchObject({ chunk: input, unchanged: true })
      }),
      { numRuns: RUNS / 10 },
    )
  })
})
