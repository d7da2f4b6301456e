import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Signal } from '../../src/otlp/batch.ts'
import { type AnyEditor, editorFor } from '../../src/otlp/editors.ts'
import { encodeValue } from '../../src/otlp/encode.ts'
import { Key } from '../../src/otlp/key.ts'
import { type PlainMessage, readPlain } from '../../src/otlp/plain.ts'
import { PlainEditor } from '../../src/otlp/plain-editor.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { validate } from '../../src/otlp/validate.ts'
import { playOnObject, withoutEmptyLists } from './edit-model.ts'
import { play } from './edit-script.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { readProtobufEs, readProtobufjs, withoutDefaults, writeProtobufjs } from './support/oracles.ts'
import { Random } from './support/random.ts'
import { unusual } from './support/unusual.ts'

const RUNS = 10_000
/** Ten thousand requests take seconds; a machine that builds something else meanwhile may take minutes. */
const TIMEOUT = 300_000

/** vitest's `toEqual` costs ten times the comparison; it is for the case that failed. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
}

/**
 * What bytes mean, unknown fields included and their bytes with them: the fields of each message by number, in whatever order
 * they stand, without those that hold the default.
 */
function meaning(signal: Signal, bytes: Uint8Array): unknown {
  return fields(readPlain(signal, bytes).canonical())
}

function fields(message: PlainMessage): unknown {
  const byNumber: Record<number, unknown[]> = {}
  for (const entry of message.entries) {
    const field = message.schema.byNumber.get(entry.number)
    const value = 'message' in entry ? fields(entry.message) : Buffer.from(entry.raw ?? entry.bytes).toString('latin1')
    if (field && !field.repeated && !field.presence && typeof value === 'string' && /^\0*$/.test(value)) continue
    byNumber[entry.number] ??= []
    byNumber[entry.number]!.push(value)
  }
  return byNumber
}

describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
  const fast = editorFor(signal)!
  const plain = new PlainEditor(signal)

  function expectSameEdits(bytes: Uint8Array, seed: number): Uint8Array {
    fast.open(bytes)
    const notes = play(fast, new Random(seed))
    const edited = fast.finish()
    plain.open(bytes)
    // The cursors and the walk are the same; the discriminant is what it lacks.
    const expectedNotes = play(Object.assign(plain, { signal }) as unknown as AnyEditor, new Random(seed))
    const expected = plain.finish()
    expectSame(notes, expectedNotes)
    expectSame(
      { dropped: edited.dropped, gone: edited.chunk === undefined },
      { dropped: expected.dropped, gone: expected.chunk === undefined },
    )
    const chunk = edited.chunk ?? new Uint8Array(0)
    expectSame(meaning(signal, chunk), meaning(signal, expected.chunk ?? new Uint8Array(0)))
    validate(signal, chunk)
    return chunk
  }

  test(
    'edits mean the same on the fast path, the plain path and objects of protobufjs',
    () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
          const seed = random.bits()
          const edited = expectSameEdits(bytes, seed)
          const object = readProtobufjs(signal, bytes)
          playOnObject(signal, object, new Random(seed))
          const schema = REQUESTS[signal]
          expectSame(readProtobufjs(signal, edited), withoutDefaults(schema, withoutEmptyLists(object)))
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT,
  )

  test(
    'edits of unusual bytes mean the same on the fast and the plain path, unknown fields kept',
    () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
          const edited = expectSameEdits(unusual(signal, bytes, random), random.bits())
          readProtobufEs(signal, edited)
        }),
        { numRuns: RUNS },
      )
    },
    TIMEOUT,
  )
})

test('an event that is edited again is read whole while the edits before it grow', () => {
  const text = (letter: string, length: number) => letter.repeat(length)
  const events = Array.from({ length: 40 }, (_, i) => ({
    name: `event ${i}`,
    attributes: [{ key: 'a', value: { stringValue: text('x', 300) } }],
  }))
  const bytes = writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'span', events }] }] }] })
  const editor = editorFor('traces')
  editor.open(bytes)
  editor.nextResource()
  editor.nextScope()
  editor.nextRecord()
  const list = editor.span.events
  for (const key of ['b', 'c']) {
    for (list.rewind(); list.next(); ) list.current.attributes.set(Key.of(key), encodeValue(text(key, 100)))
  }
  const { chunk } = editor.finish()
  const attributes = ['a', 'b', 'c'].map((key) => ({
    key,
    value: { stringValue: text(key === 'a' ? 'x' : key, key === 'a' ? 300 : 100) },
  }))
  const read = readProtobufjs('traces', chunk!) as never as {
    resourceSpans: { scopeSpans: { spans: { events: { attributes: unknown }[] }[] }[] }[]
  }
  expect(read.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.events.map((event) => event.attributes)).toEqual(
    events.map(() => attributes),
  )
})
