import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editorFor } from '../../src/otlp/editors.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { comparable, readThroughCursors } from './read-through-cursors.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { readProtobufEs, readProtobufjs } from './support/oracles.ts'
import { unusual } from './support/unusual.ts'

const RUNS = 10_000
/** Ten thousand requests take seconds; a machine that builds something else meanwhile may take minutes. */
const TIMEOUT = 300_000

describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
  const editor = editorFor(signal)!
  const schema = REQUESTS[signal]

  function expectShown(bytes: Uint8Array, expected: PlainObject): void {
    editor.open(bytes)
    const shown = comparable(schema, readThroughCursors(editor))
    const result = editor.finish()
    const wanted = comparable(schema, expected)
    if (!isDeepStrictEqual(shown, wanted)) expect(shown).toStrictEqual(wanted)
    expect(result.unchanged).toBe(true)
    expect(result.chunk).toBe(bytes)
  }

  test(
    'cursors show what protobufjs reads, and reading changes nothing',
    () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes }) => expectShown(bytes, readProtobufjs(signal, bytes))),
        { numRuns: RUNS },
      )
    },
    TIMEOUT,
  )

  test(
    'cursors show what protobuf-es reads of unusual bytes',
    () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
          const strange = unusual(signal, bytes, random)
          expectShown(strange, readProtobufEs(signal, strange))
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT,
  )
})
