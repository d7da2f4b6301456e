import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  EXPONENTIAL_BUCKETS,
  type ExponentialBuckets,
  HistogramCell,
  type HistogramValue,
  histogramSlots,
  mergeHistograms,
  readHistogram,
} from '../../src/telemetry/histogram-cell.ts'

const BOUNDARIES = [0, 5, 10, 25]

function recorded(values: readonly number[]): HistogramValue {
  const memory = new Float64Array(3 + histogramSlots(BOUNDARIES.length))
  const cell = new HistogramCell(memory, 3, BOUNDARIES)
  for (const value of values) cell.record(value)
  expect([...memory.subarray(0, 3)], 'what lies before the series').toEqual([0, 0, 0])
  return readHistogram(memory, 3, BOUNDARIES)
}

/** The bucket that holds `value`, by the data model's own words: base^index < value <= base^(index + 1). */
function countsByDefinition({ scale }: ExponentialBuckets, values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values.filter((each) => each > 0)) {
    const exact = Math.log2(value) * 2 ** scale
    const index = Math.ceil(exact) - 1
    counts.set(index, (counts.get(index) ?? 0) + 1)
  }
  return counts
}

function held({ offset, counts }: ExponentialBuckets): Map<number, number> {
  return new Map(counts.map((count, i) => [offset + i, count] as const).filter(([, count]) => count > 0))
}

test('values at a bound count below it, as the Collector has them', () => {
  const { explicit, count, sum, min, max } = recorded([0, 5, 5.1, 10, 25, 26, 1e9])
  // le 0: 0 · le 5: 5 · le 10: 5.1 and 10 · le 25: 25 · above: 26 and 1e9
  expect(explicit).toEqual([1, 1, 2, 1, 2])
  expect([count, sum, min, max]).toEqual([7, 0 + 5 + 5.1 + 10 + 25 + 26 + 1e9, 0, 1e9])
})

test('powers of two are upper bounds of their exponential bucket', () => {
  const { exponential } = recorded([1, 2, 4, 8])
  const base = 2 ** exponential.scale
  expect([...held(exponential).keys()]).toEqual([-1, base - 1, 2 * base - 1, 3 * base - 1])
})

test('what is no size is left out', () => {
  expect(recorded([-1, Number.NaN, Number.POSITIVE_INFINITY]).count).toBe(0)
})

const sizes = fc.array(
  fc.oneof(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.nat(10_000), fc.constant(0)),
  { maxLength: 200 },
)

test('every value is in the bucket that the data model gives it, however coarse the scale became', () => {
  fc.assert(
    fc.property(sizes, (values) => {
      const { exponential, count } = recorded(values)
      expect(exponential.counts.length).toBeLessThanOrEqual(EXPONENTIAL_BUCKETS)
      expect(exponential.zeroes).toBe(values.filter((value) => value === 0).length)
      expect(count).toBe(values.length)
      // Logarithms near a bound may round to either side of it: compared is what survives a step coarser.
      const coarse = (counts: Map<number, number>): number => [...counts.values()].reduce((a, b) => a + b, 0)
      expect(coarse(held(exponential))).toBe(coarse(countsByDefinition(exponential, values)))
      for (const [index] of held(exponential)) {
        const inBucket = values.some((value) => {
          const exact = Math.log2(value) * 2 ** exponential.scale
          return exact > index - 1e-6 * Math.abs(index) - 1e-6 && exact <= index + 1 + 1e-6 * Math.abs(index) + 1e-6
        })
        expect(inBucket, `bucket ${index} at scale ${exponential.scale}`).toBe(true)
      }
    }),
    { seed: 7, numRuns: 300 },
  )
})

test('two series merged are what one would be that had seen all', () => {
  fc.assert(
    fc.property(sizes, sizes, (a, b) => {
      const merged = mergeHistograms(recorded(a), recorded(b))
      const one = recorded([...a, ...b])
      expect(merged.explicit).toEqual(one.explicit)
      expect([merged.count, merged.min, merged.max]).toEqual([one.count, one.min, one.max])
      expect(merged.exponential.scale).toBe(one.exponential.scale)
      expect(merged.exponential.zeroes).toBe(one.exponential.zeroes)
      expect(held(merged.exponential)).toEqual(held(one.exponential))
    }),
    { seed: 8, numRuns: 300 },
  )
})
