import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Overdue } from '../../src/transport/overdue.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('acts once on what stays longer than it may, to an eighth, and on nothing else', () => {
  const acted: [string, number][] = []
  const begun = performance.now()
  const overdue = new Overdue<string>(80, (entry) => acted.push([entry, performance.now() - begun]))
  overdue.add('quick')
  overdue.add('slow')
  vi.advanceTimersByTime(40)
  overdue.add('later')
  overdue.delete('quick')
  vi.advanceTimersByTime(200)
  expect(acted).toEqual([
    ['slow', 80],
    ['later', 120],
  ])
})

test('has a timer only while there is something to watch', () => {
  const overdue = new Overdue<string>(80, () => {})
  expect(vi.getTimerCount()).toBe(0)
  overdue.add('a')
  expect(vi.getTimerCount()).toBe(1)
  overdue.delete('a')
  vi.advanceTimersByTime(10)
  expect(vi.getTimerCount()).toBe(0)
  overdue.add('b')
  overdue.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('looks once a second at most, however long the limit', () => {
  const acted: number[] = []
  const overdue = new Overdue<number>(60_000, () => acted.push(performance.now()))
  const begun = performance.now()
  overdue.add(1)
  vi.advanceTimersByTime(59_000)
  expect(acted).toEqual([])
  vi.advanceTimersByTime(2000)
  expect(acted).toEqual([begun + 60_000])
})
