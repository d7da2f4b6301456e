// One lane's end of the protocol, answers by hand. What it does not show, that lanes talk to each other, sketches.test.ts does.
import { expect, test } from 'vitest'
import { Gathered } from '../../src/component/gathered.ts'
import { NO_NAMESAKES } from '../../src/component/namesakes.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

/** The first of two lanes, which has 1 each time that it is asked, and what it flushed. */
function firstOfTwo() {
  const clock = new FakeClock()
  let answer: (bytes: Uint8Array, from: number) => void = () => {}
  const flushed: number[] = []
  let sum = 0
  const gathered = new Gathered(
    {
      clock,
      lane: { index: 0, count: 2 },
      namesakes: {
        ...NO_NAMESAKES,
        hear(callback) {
          answer = callback
        },
        tell: () => true,
      },
    },
    {
      collect: () => Uint8Array.of(1),
      merge(part) {
        sum += part[0]!
      },
      flush() {
        flushed.push(sum)
        sum = 0
      },
    },
    { intervalMs: 10_000 },
  )
  gathered.start()
  // 1: this is an answer.
  return { clock, gathered, flushed, answer: (value: number) => answer(Uint8Array.of(1, value), 1) }
}

test('a stop while another lane is asked waits for what that lane has given up', async () => {
  const { clock, gathered, flushed, answer } = firstOfTwo()
  await clock.advance(10_000)
  const stopped = gathered.stop()
  await settled()
  expect(flushed).toEqual([])
  answer(5)
  await stopped
  expect(flushed).toEqual([6])
  await gathered.stop()
  expect([flushed, clock.timers]).toEqual([[6], 0])
})

test('a stop waits a second at most for a lane that does not answer', async () => {
  const { clock, gathered, flushed } = firstOfTwo()
  await clock.advance(10_000)
  const stopped = gathered.stop()
  await clock.advance(999)
  expect(flushed).toEqual([])
  await clock.advance(1)
  await stopped
  expect([flushed, clock.timers]).toEqual([[1], 0])
})

test('a stop while no lane is asked flushes at once', async () => {
  const { clock, gathered, flushed } = firstOfTwo()
  const stopped = gathered.stop()
  expect(flushed).toEqual([1])
  await stopped
  expect(clock.timers).toBe(0)
})
