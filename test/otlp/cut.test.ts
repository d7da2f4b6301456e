import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { joinBatches, makeBatch } from '../../src/otlp/batch.ts'
import { countItems } from '../../src/otlp/count.ts'
import { cut } from '../../src/otlp/cut.ts'
import { readProtobufjs, writeProtobufjs } from './support/oracles.ts'

// What split makes of one request is its own test's matter; here it is which chunks stay whole, and that nothing is lost
// between them.

let serial = 0

/** A request of spans in one scope, each with a name of its own that is at least that long. */
function request(lengths: readonly number[]): Uint8Array {
  const spans = lengths.map((length) => ({ name: `${serial++}`.padEnd(length) }))
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
}

function batchOf(chunks: readonly Uint8Array[]) {
  const items = chunks.reduce((sum, chunk) => sum + countItems('traces', chunk), 0)
  return makeBatch('traces', chunks, items, { arrivedAt: 0 })
}

/** The same, as joining leaves it: with the items of each chunk. */
function joined(chunks: readonly Uint8Array[]) {
  return joinBatches(
    chunks.map((chunk) => batchOf([chunk])),
    undefined,
  )
}

function namesIn(chunks: readonly Uint8Array[]): string[] {
  return chunks.flatMap((chunk) => {
    const { resourceSpans = [] } = readProtobufjs('traces', chunk) as {
      resourceSpans?: { scopeSpans?: { spans?: { name: string }[] }[] }[]
    }
    return resourceSpans.flatMap(({ scopeSpans = [] }) =>
      scopeSpans.flatMap(({ spans = [] }) => spans.map(({ name }) => name)),
    )
  })
}

test('every item comes once, in order, in batches within the limits; what fits stays whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.constantFrom(5, 30, 200), { maxLength: 30 }), { maxLength: 6 }),
      fc.option(fc.integer({ min: 1, max: 25 }), { nil: Infinity }),
      fc.option(fc.integer({ min: 50, max: 2000 }), { nil: Infinity }),
      fc.boolean(),
      (lengths, maxItems, maxBytes, counted) => {
        const chunks = lengths.map(request)
        const whole = counted && chunks.length > 0 ? joined(chunks) : batchOf(chunks)
        const parts = cut(whole, { maxItems, maxBytes })
        for (const part of parts) {
          expect(part.items).toBeLessThanOrEqual(maxItems)
          if (part.byteLength > maxBytes) expect(part.items).toBe(1)
          expect(part.chunks.reduce((sum, chunk) => sum + countItems('traces', chunk), 0)).toBe(part.items)
        }
        const all = parts.flatMap(({ chunks }) => chunks)
        expect(namesIn(all)).toEqual(namesIn(whole.chunks))
        const fits = (chunk: Uint8Array): boolean =>
          countItems('traces', chunk) <= maxItems && chunk.byteLength <= maxBytes
        expect(whole.chunks.filter((chunk) => fits(chunk) && !all.includes(chunk))).toEqual([])
        const own = new Set(whole.chunks)
        for (const chunk of all) if (!own.has(chunk)) arenas.release(chunk)
      },
    ),
    { numRuns: 300 },
  )
})

test('profiles are never laid end to end, however small', () => {
  const chunk = new Uint8Array([0xc5, 0x3e, 0, 0, 0, 0])
  const whole = makeBatch('profiles', [chunk, chunk.slice()], 2, { arrivedAt: 0 })
  expect(cut(whole, { maxBytes: 100 }).map(({ chunks }) => chunks.length)).toEqual([1, 1])
})
