import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { editorFor } from '../../src/otlp/editors.ts'
import { PlainEditor } from '../../src/otlp/plain-editor.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { type AnyEditor, editBoth } from './support/edits.ts'
import { readProtobufEs, readProtobufjs, withoutDefaults } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

// Ten seconds a property where the machine is idle, and often it is not.
vi.setConfig({ testTimeout: 180_000 })

const RUNS = 10_000

type Edited = 'traces' | 'metrics' | 'logs'

function fastEditor(signal: Edited): AnyEditor {
  if (signal === 'traces') return editorFor('traces')
  return signal === 'logs' ? editorFor('logs') : editorFor('metrics')
}

describe.each([
  ['the plain path', (signal: Edited) => new PlainEditor(signal)],
  ['the fast path', fastEditor],
])('%s', (_, editorOf) => {
  describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
    test('any edits are the same edits on the object that the bytes mean', () => {
      const editor = editorOf(signal)
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
          const isUnusual = random.chance(0.5)
          const input = isUnusual ? unusual(signal, bytes, random) : bytes
          const { chunk, unchanged, expected } = editBoth(signal, editor, input, object, random)
          // What was not edited stays as unusual as it was, and that protobufjs cannot read.
          const read = isUnusual ? readProtobufEs : readProtobufjs
          const actual = read(signal, chunk ?? new Uint8Array(0))
          const wanted = withoutDefaults(REQUESTS[signal], expected)
          if (!isDeepStrictEqual(actual, wanted)) expect(actual).toStrictEqual(wanted)
          if (unchanged) expect(chunk).toBe(input)
        }),
        { numRuns: RUNS },
      )
    })

    test('without edits the very same bytes come back, unusual as they may be', () => {
      const editor = editorOf(signal)
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ object, bytes, random }) => {
          const input = unusual(signal, bytes, random)
          const { chunk, unchanged } = editBoth(signal, editor, input, object, random, 0)
          expect(unchanged).toBe(true)
          expect(chunk).toBe(input)
        }),
        { numRuns: RUNS },
      )
    })
  })
})
