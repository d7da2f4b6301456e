import { expect, test } from 'vitest'
import { Histogram } from '../../bench/load/histogram.ts'

/** Half of the width of a bucket: 2 ** (1 / 256). */
const OFF = 0.003

test('a quantile is the duration that so many do not exceed, within the width of a bucket', () => {
  const histogram = new Histogram()
  for (let ms = 1; ms <= 1000; ms++) histogram.record(ms)
  expect(histogram.total).toBe(1000)
  for (const [q, ms] of [
    [0.001, 1],
    [0.5, 500],
    [0.99, 990],
    [0.999, 999],
    [1, 1000],
  ] as const) {
    expect(Math.abs(histogram.quantile(q)! / ms - 1), `${q}`).toBeLessThan(OFF)
  }
})

test('one slow request in a thousand is in no quantile below it', () => {
  const histogram = new Histogram()
  histogram.record(2, 999)
  histogram.record(5000)
  expect(histogram.quantile(0.999)!).toBeLessThan(2.1)
  expect(Math.abs(histogram.quantile(0.9995)! / 5000 - 1)).toBeLessThan(OFF)
})

test('what was recorded in two places is the same as in one', () => {
  const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()]
  for (let i = 0; i < 500; i++) {
    const ms = 1.02 ** i % 3000
    ;(i % 2 ? one : other).record(ms)
    both.record(ms)
  }
  const merged = new Histogram()
  merged.add(one.data())
  merged.add(other.data())
  expect(merged.data()).toEqual(both.data())
  merged.reset()
  expect(merged.quantile(0.5)).toBeUndefined()
})

test('durations out of range go to the first and the last bucket', () => {
  const histogram = new Histogram()
  histogram.record(0)
  histogram.record(1e12)
  expect(histogram.data().buckets.map(([bucket]) => bucket)).toEqual([0, 4095])
})
