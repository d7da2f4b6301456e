import { assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { durationPattern, formatDuration, parseDuration } from '../../src/config/duration.ts'

test.each([
  ['0', 0],
  ['0s', 0],
  ['200ms', 200],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1000],
  ['2h45m30.5s', 9_930_500],
  ['100us', 0.1],
  ['100µs', 0.1],
  ['100μs', 0.1],
  ['5ns', 0.000005],
  ['-1m', -60_000],
  ['+1m', 60_000],
  ['1m1m', 120_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
  expect(text).toMatch(new RegExp(durationPattern(true)))
})

test.each(['', '10', '1.5', 's', '-', '1 s', '1d', '1h ', '1S', '1h30', '1e3s', 'ms200', '--1s'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
    expect(text).not.toMatch(new RegExp(durationPattern(true)))
  },
)

test.each([
  [0, '0s'],
  [200, '200ms'],
  [1500, '1.5s'],
  [5_400_000, '1h30m'],
  [3_600_000, '1h'],
  [3_661_001, '1h1m1.001s'],
  [0.1, '100us'],
  [0.000005, '5ns'],
  [-60_000, '-1m'],
])('%d ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('what is written is read back, to the nanosecond', () => {
  assert(
    property(integer({ min: 0, max: 2 ** 49 }), (ns) => {
      expect(parseDuration(formatDuration(ns / 1e6))).toBe(ns / 1e6)
    }),
  )
})
