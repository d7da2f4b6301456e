import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { type Part, Partition } from '../../src/otlp/partition.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import {
  attributesKey,
  type KeyedSignal,
  type RecordKey,
  resourceKey,
  seriesKey,
  traceKey,
} from '../../src/otlp/record-key.ts'
import { REQUESTS } from '../../src/otlp/schema.ts'
import { validate } from '../../src/otlp/validate.ts'
import { arbitraryRequest } from './support/arbitraries.ts'
import { readProtobufEs, withoutDefaults, writeProtobufEs } from './support/oracles.ts'
import { Random } from './support/random.ts'
import { itemsWithSurroundings } from './support/surroundings.ts'
import { unusual } from './support/unusual.ts'

const OWNERS = 3
const HOME = 1
const ownerOf = (hash: number): number => (hash >>> 0) % OWNERS

const read = (signal: KeyedSignal, bytes: Uint8Array): PlainObject =>
  withoutDefaults(REQUESTS[signal], readProtobufEs(signal, bytes))

type Item = readonly unknown[]

const items = (signal: KeyedSignal, bytes: Uint8Array): Item[] => itemsWithSurroundings(read(signal, bytes)) as Item[]

function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    if (typeof each === 'number' && !Number.isFinite(each)) return `${each}`
    return Object.is(each, -0) ? '-0' : each
  })
}

/** The attributes of a node, whatever their order, as one text. */
function attributesText(node: PlainObject | undefined): string {
  const pairs = (node?.attributes ?? []) as PlainObject[]
  return pairs.map(text).sort().join()
}

/** The key of an item as the specification says it, from the object that an independent reader made. */
const KEY_TEXTS: Readonly<Record<string, (item: Item) => string>> = {
  trace: (item) => text((item.at(-1) as PlainObject).traceId),
  resource: (item) => attributesText((item[2] as PlainObject).resource as PlainObject | undefined),
  series: (item) => {
    const [, , resource, , scope, , metric] = item as PlainObject[]
    const scopeName = (scope!.scope as PlainObject | undefined)?.name
    const parts = [attributesText(resource!.resource as PlainObject | undefined), scopeName, metric!.name]
    return text([...parts, attributesText(item.at(-1) as PlainObject)])
  },
}

/** How much a record has around it, itself included; what holds none has less. */
const DEPTH: Readonly<Record<KeyedSignal, number>> = { traces: 6, logs: 6, metrics: 10 }

const CASES: readonly { signal: KeyedSignal; key: keyof typeof KEY_TEXTS; make: () => RecordKey }[] = [
  { signal: 'traces', key: 'trace', make: () => traceKey('traces') },
  { signal: 'logs', key: 'trace', make: () => traceKey('logs') },
  { signal: 'logs', key: 'resource', make: resourceKey },
  { signal: 'metrics', key: 'series', make: seriesKey },
]

function releaseParts(parts: readonly Part[], whole: Uint8Array): void {
  for (const { bytes } of parts) if (bytes !== whole) arenas.release(bytes)
}

describe.each(CASES)('$signal by $key', ({ signal, key, make }) => {
  const partition = new Partition(signal, make(), OWNERS, ownerOf)

  test('every item is in one part, in order, with what was around it, and a key is in one part', () => {
    let records = 0
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        const input = random.chance(0.5) ? bytes : unusual(signal, bytes, random)
        const parts = partition.split(input, HOME)
        const all = items(signal, input)
        const left = new Set(all)
        const owners = new Map<string, number>()
        for (const { owner, bytes: part, items: count } of parts) {
          expect(validate(signal, part)).toBe(count)
          let from = 0
          for (const item of items(signal, part)) {
            // In the order in which they came: a subsequence of all.
            while (from < all.length && !(left.has(all[from]!) && isDeepStrictEqual(all[from], item))) from++
            if (from === all.length)
              throw new Error(`a part has an item that did not come, or not there: ${text(item)}`)
            left.delete(all[from]!)
            if (item.length !== DEPTH[signal] || input !== bytes) continue
            records++
            const name = KEY_TEXTS[key]!(item)
            expect(owners.get(name) ?? owner, name).toBe(owner)
            owners.set(name, owner)
          }
        }
        expect([...left]).toEqual([])
        expect(new Set(parts.map(({ owner }) => owner)).size).toBe(parts.length)
        releaseParts(parts, input)
      }),
      { numRuns: 700 },
    )
    expect(records).toBeGreaterThan(100)
  })

  test('how a key is written does not matter', () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes, random }) => {
        // Values in arrays and maps count as the bytes that they are, and of a key that comes twice another one may count.
        if (/"(arrayValue|kvlistValue)"/.test(text(read(signal, bytes)))) return
        const options = { shuffle: true, split: true, padVarints: true, packing: true, unknown: true }
        const other = unusual(signal, bytes, random, options)
        const placed = (input: Uint8Array): string[] => {
          const parts = partition.split(input, HOME)
          const found = parts.flatMap(({ owner, bytes: part, items: count }) =>
            count === 0 ? [] : items(signal, part).map((item) => `${owner} ${text(item.at(-1))}`),
          )
          releaseParts(parts, input)
          return found.sort()
        }
        expect(placed(other)).toEqual(placed(bytes))
      }),
      { numRuns: 700 },
    )
  })
})

const attribute = (name: string, value: PlainObject) => ({ key: name, value })

function logs(records: PlainObject[], resource: PlainObject = {}): Uint8Array {
  return writeProtobufEs('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords: records }] }] })
}

function parts(partition: Partition, bytes: Uint8Array): [owner: number, items: number][] {
  const found = partition.split(bytes, HOME)
  releaseParts(found, bytes)
  return found.map(({ owner, items: count }) => [owner, count])
}

test('records of one owner come back as the bytes that came', () => {
  const bytes = logs([{ traceId: new Uint8Array(16) }, { traceId: new Uint8Array(16) }])
  const [only, ...others] = new Partition('logs', traceKey('logs'), OWNERS, ownerOf).split(bytes, HOME)
  expect(only!.bytes).toBe(bytes)
  expect(others).toEqual([])
})

test('what has no key stays at home, and so does a request without records', () => {
  const partition = new Partition('logs', traceKey('logs'), OWNERS, ownerOf)
  expect(parts(partition, logs([{ severityNumber: 1 }, { severityNumber: 2 }]))).toEqual([[HOME, 2]])
  expect(parts(partition, logs([]))).toEqual([[HOME, 0]])
  expect(parts(partition, new Uint8Array(0))).toEqual([[HOME, 0]])
})

test('attributes are of the record, or else of its resource', () => {
  const partition = new Partition('logs', attributesKey('logs', ['tenant', 'zone']), OWNERS, (hash) =>
    ownerOf(Math.imul(hash, 0x9e3779b1)),
  )
  const place = (records: PlainObject[], resource?: PlainObject) => parts(partition, logs(records, resource))
  const tenant = attribute('tenant', { stringValue: 'acme' })
  const zone = attribute('zone', { intValue: 3n })
  const own = place([{ attributes: [tenant, zone] }])
  expect(place([{ attributes: [zone, attribute('other', {}), tenant] }])).toEqual(own)
  expect(place([{ attributes: [zone] }], { attributes: [tenant] })).toEqual(own)
  expect(place([{ attributes: [tenant] }], { attributes: [zone, attribute('tenant', { stringValue: 'x' })] })).toEqual(
    own,
  )
  expect(place([{ attributes: [attribute('other', {})] }])).toEqual([[HOME, 1]])
})

test('many records are taken apart into about equal parts', () => {
  const random = new Random(5)
  const spans = Array.from({ length: 3000 }, (_, i) => ({
    traceId: Uint8Array.from({ length: 16 }, () => random.below(256)),
    name: `span ${i}`,
  }))
  const bytes = writeProtobufEs('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
  const found = parts(new Partition('traces', traceKey('traces'), OWNERS, ownerOf), bytes)
  expect(found.map(([owner]) => owner)).toEqual([0, 1, 2])
  for (const [, count] of found) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(1000))
})

test('the memory of parts is back once they are released, also after malformed bytes', () => {
  const partition = new Partition('traces', traceKey('traces'), OWNERS, ownerOf)
  const held = arenas.held
  const spans = Array.from({ length: 300 }, (_, i) => ({ traceId: new Uint8Array(16).fill(i), name: 'x'.repeat(50) }))
  const bytes = writeProtobufEs('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
  const found = partition.split(bytes, HOME)
  expect(found.length).toBe(3)
  releaseParts(found, bytes)
  expect(() => partition.split(bytes.subarray(0, bytes.length - 1), HOME)).toThrow('past the end')
  expect(arenas.held).toBe(held)
})
