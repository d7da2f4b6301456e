import { isDeepStrictEqual } from 'node:util'
import type { Signal } from '../../src/otlp/batch.ts'
import { countItems } from '../../src/otlp/count.ts'
import { type AnyEditor, editorFor } from '../../src/otlp/editors.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { split } from '../../src/otlp/split.ts'
import { validate } from '../../src/otlp/validate.ts'
import { WireError } from '../../src/otlp/wire-error.ts'
import { comparable, readThroughCursors } from './read-through-cursors.ts'
import { randomRequest } from './support/arbitraries.ts'
import { mutate } from './support/mutate.ts'
import { readProtobufEs } from './support/oracles.ts'
import { Random } from './support/random.ts'
import { unusual } from './support/unusual.ts'

/*
 * Random damage: whatever `validate` accepts is what protobuf-es reads, and nothing that reads bytes, validated or not, ends in
 * anything but a WireError. Shared by the test of every build and by the long run.
 */

type EditedSignal = Exclude<Signal, 'profiles'>

/** Of accepted mutations, every so many are held against the oracle, which costs ten times what the rest does. */
const ORACLE_EVERY = 10

export interface MutationTally {
  accepted: number
  refused: number
  compared: number
}

/** Tries `count` mutations of requests of one signal. Throws at the first that behaves otherwise, with what makes it again. */
export function tryMutations(signal: EditedSignal, count: number, seed: number): MutationTally {
  const random = new Random(seed)
  const originals = Array.from({ length: 400 }, (_, i) => {
    const { bytes } = randomRequest(signal, random, i % 3)
    return i % 2 === 0 ? bytes : unusual(signal, bytes, random)
  })
  const editor = editorFor(signal as 'traces') as AnyEditor
  const tally: MutationTally = { accepted: 0, refused: 0, compared: 0 }
  // Most mutations end in an error, and its stack trace would cost more than all the reading.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  for (let i = 0; i < count; i++) {
    const bytes = mutate(random.pick(originals), random)
    try {
      tryOne(signal, editor, bytes, tally)
    } catch (error) {
      const hex = Buffer.from(bytes).toString('hex')
      Error.stackTraceLimit = stackTraceLimit
      throw new Error(`seed ${seed}, mutation ${i}, ${signal} ${hex}`, { cause: error })
    }
  }
  Error.stackTraceLimit = stackTraceLimit
  return tally
}

function tryOne(signal: EditedSignal, editor: AnyEditor, bytes: Uint8Array, tally: MutationTally): void {
  const before = bytes.length
  const items = orWireError(() => validate(signal, bytes))
  if (items === undefined) {
    tally.refused++
    // Nobody may rely on having been validated: malformed bytes give errors or nonsense, but end.
    orWireError(() => walk(editor, bytes))
    editor.abort()
    orWireError(() => countItems(signal, bytes))
    return
  }
  tally.accepted++
  if (items !== countItems(signal, bytes))
    throw new Error(`validate counts ${items}, countItems ${countItems(signal, bytes)}`)
  if (tally.accepted % ORACLE_EVERY !== 0) {
    walk(editor, bytes)
    if (!editor.finish().unchanged || bytes.length !== before) throw new Error('reading changed something')
    return
  }
  tally.compared++
  const schema = REQUESTS[signal]
  const expected = comparable(schema, readProtobufEs(signal, bytes))
  editor.open(bytes)
  const shown = comparable(schema, readThroughCursors(editor))
  editor.finish()
  if (!isDeepStrictEqual(shown, expected)) throw new Error('the cursors show something else than protobuf-es')
  for (const piece of split(signal, bytes, { maxItems: 1 })) validate(signal, piece.bytes)
}

function orWireError<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Reads something of everything. */
function walk(editor: AnyEditor, bytes: Uint8Array): void {
  editor.open(bytes)
  while (editor.nextResource()) {
    for (const { attributes } of [editor.resource])
      for (attributes.rewind(); attributes.next(); ) attributes.value.plain()
    while (editor.nextScope()) {
      void editor.scope.nameText()
      if (editor.signal !== 'metrics') walkRecords(editor)
      else while (editor.nextMetric()) walkRecords(editor)
    }
  }
}

function walkRecords(editor: AnyEditor): void {
  while (editor.nextRecord()) {
    const record = editor.signal === 'traces' ? editor.span : editor.signal === 'logs' ? editor.log : editor.point
    const { attributes } = record
    for (attributes.rewind(); attributes.next(); ) attributes.value.plain()
    if (editor.signal === 'traces') {
      const { events, links } = editor.span
      void editor.span.statusCode
      for (events.rewind(); events.next(); ) void events.current.attributes.size
      for (links.rewind(); links.next(); ) void links.current.attributes.size
    } else if (editor.signal === 'metrics') {
      editor.point.value()
      editor.point.positive()
      editor.point.bucketCounts()
    } else editor.log.body.plain()
  }
}
