import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Alarm } from '../../src/transport/alarm.ts'

const DAY = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('rings once, after a year too, which is more than a timer takes', () => {
  let rung = 0
  new Alarm(365 * DAY, () => rung++)
  vi.advanceTimersByTime(365 * DAY - 1)
  expect(rung).toBe(0)
  vi.advanceTimersByTime(400 * DAY)
  expect(rung).toBe(1)
})

test('cancelled, it does not, at whichever step of the way', () => {
  let rung = 0
  const alarm = new Alarm(365 * DAY, () => rung++)
  vi.advanceTimersByTime(100 * DAY)
  alarm.cancel()
  vi.advanceTimersByTime(400 * DAY)
  expect([rung, vi.getTimerCount()]).toEqual([0, 0])
})
