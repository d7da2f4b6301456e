import { expect, test } from 'vitest'
import { request, type Shape } from '../../bench/payload/payload.ts'
import { FreshIds, firstTrace, mark, marksIn, placesOf, traceIdOffsets } from '../../bench/payload/trace-ids.ts'
import { ExportTraceServiceRequest } from '../../bench/wire/fixture.ts'
import { validate } from '../../src/otlp/validate.ts'

const SPANS: Shape = { signal: 'traces', items: 100, itemBytes: 812, full: true }

const idsOf = (bytes: Buffer, offsets: readonly number[]): string[] =>
  offsets.map((offset) => bytes.toString('hex', offset, offset + 16))

function numbers(bytes: Buffer): number[] {
  const found: number[] = []
  marksIn(bytes, (number) => found.push(number))
  return found
}

test('every write gives new ids, the same for the spans of one trace, and leaves all else alone', () => {
  const bytes = Buffer.from(request(SPANS, 1))
  const offsets = traceIdOffsets('traces', bytes)
  expect(offsets.length).toBe(100)
  const before = idsOf(bytes, offsets)
  const fresh = new FreshIds(bytes, placesOf(bytes, offsets, 0), 1)
  fresh.write(7)
  const first = idsOf(bytes, offsets)
  fresh.write(8)
  const second = idsOf(bytes, offsets)
  // 20 spans a resource are traces of 8, 8 and 4, in each of 5 resources.
  for (const ids of [before, second]) expect(new Set(ids).size).toBe(5 * 3)
  expect(new Set([...before, ...first, ...second]).size).toBe(3 * 5 * 3)
  expect(numbers(bytes)).toEqual([8])
  expect(validate('traces', bytes)).toBe(100)
})

test('numbers are found in requests that were joined, and in the part that has the first span of one that was split', () => {
  const made = [4, 4_000_000_000].map((number, i) => {
    const bytes = Buffer.from(request(SPANS, i))
    mark(bytes, firstTrace(bytes, traceIdOffsets('traces', bytes)), number)
    return bytes
  })
  expect(numbers(made[0]!)).toEqual([4])
  expect(numbers(Buffer.concat(made))).toEqual([4, 4_000_000_000])
  expect(numbers(Buffer.from(request(SPANS, 9)))).toEqual([])
})

test('log records have trace ids, data points none', () => {
  expect(traceIdOffsets('logs', request({ ...SPANS, signal: 'logs', itemBytes: 333 }, 1)).length).toBe(100)
  expect(traceIdOffsets('metrics', request({ ...SPANS, signal: 'metrics', itemBytes: 182 }, 1))).toEqual([])
})

test('a full span has 11 text, 3 whole and 1 truth attributes and an event with 2', () => {
  const { resourceSpans } = ExportTraceServiceRequest.decode(request(SPANS, 1))
  expect(resourceSpans.length).toBe(5)
  for (const { scopeSpans } of resourceSpans) {
    for (const span of scopeSpans[0]!.spans as unknown as readonly {
      attributes: { value: object }[]
      events: { attributes: object[] }[]
    }[]) {
      const kinds = { stringValue: 0, intValue: 0, boolValue: 0 }
      for (const { value } of span.attributes) kinds[Object.keys(value)[0] as keyof typeof kinds]++
      expect(kinds).toEqual({ stringValue: 11, intValue: 3, boolValue: 1 })
      expect(span.events.map(({ attributes }) => attributes.length)).toEqual([2])
    }
  }
})

test('the share of spans with an e-mail address in them is the one that was asked for', () => {
  const spans = Buffer.from(request({ ...SPANS, items: 5000, piiShare: 0.02 }, 1)).toString('latin1')
  const found = spans.match(/user\.\d+@example\.com/g)?.length ?? 0
  // 100 expected, give or take three standard deviations of 10; the seed is fixed.
  expect(Math.abs(found - 100)).toBeLessThan(30)
  expect(Buffer.from(request(SPANS, 1)).includes('@example.com')).toBe(false)
})
