import { expect, test } from 'vitest'
import { Histogram } from '../../bench/load/histogram.ts'
import { Schedule } from '../../bench/load/pace.ts'

const INTERVAL_MS = 10
const SERVICE_MS = 1
const STALL_MS = 1000

/** One slot, an answer after 1 ms, but for the engine's stall of one second that begins with the first request. */
function simulate(until: number): { readonly due: Histogram; readonly sent: Histogram; readonly requests: number } {
  const schedule = new Schedule(0, INTERVAL_MS)
  const due = new Histogram()
  const sent = new Histogram()
  let requests = 0
  for (let now = 0; now < until; ) {
    const at = schedule.take(now)
    if (at === undefined) {
      now = schedule.next
      continue
    }
    const answered = Math.max(now, STALL_MS) + SERVICE_MS
    due.record(answered - at)
    sent.record(answered - now)
    requests++
    now = answered
  }
  return { due, sent, requests }
}

test('requests held up by a stall count from when they were due', () => {
  const { due, sent, requests } = simulate(2000)
  // All that were due in two seconds, the hundred of the stall among them.
  expect(requests).toBe(2000 / INTERVAL_MS)
  // By the time of sending only the one request that met the stall is slow.
  expect(sent.quantile(0.99)!).toBeLessThan(2)
  // By the time they were due half of them are: the n-th of the stall waits 1000 - 10 n + n ms, and the backlog of 100 is worked off by 9 ms a request.
  expect(due.quantile(0.99)!).toBeGreaterThan(950)
  expect(due.quantile(0.5)!).toBeGreaterThan(90)
})

test('nothing is due before its time, and nothing is dropped', () => {
  const schedule = new Schedule(500, 4)
  expect(schedule.take(499)).toBeUndefined()
  expect(schedule.take(500)).toBe(500)
  expect(schedule.take(500)).toBeUndefined()
  expect(schedule.next).toBe(504)
  expect([schedule.take(520), schedule.take(520), schedule.take(520)]).toEqual([504, 508, 512])
})
