import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../src/clock.ts'

const DAY = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

// A peer may answer `Retry-After: 31536000`, and a timer of Node that is set for longer than 24.8 days rings at once.
test('a wait of a year takes a year', () => {
  let rung = 0
  systemClock.setTimeout(() => rung++, 365 * DAY)
  vi.advanceTimersByTime(365 * DAY - 1)
  expect(rung).toBe(0)
  vi.advanceTimersByTime(400 * DAY)
  expect([rung, vi.getTimerCount()]).toEqual([1, 0])
})

test('cancelled, it never ends, at whichever step of the way', () => {
  let rung = 0
  const timer = systemClock.setTimeout(() => rung++, 365 * DAY)
  vi.advanceTimersByTime(100 * DAY)
  timer.cancel()
  vi.advanceTimersByTime(400 * DAY)
  expect([rung, vi.getTimerCount()]).toEqual([0, 0])
})

test('one that is over begins no other', () => {
  let rung = 0
  systemClock.setTimeout(() => rung++, -1)
  vi.advanceTimersByTime(1)
  expect(rung).toBe(1)
})
