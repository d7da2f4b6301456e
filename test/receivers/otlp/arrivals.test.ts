// What is on its way: each request is counted from its headers until it is whole, gone, or late.
import { expect, it } from 'vitest'
import { Arrivals } from '../../../receivers/otlp/arrivals.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function rig() {
  const clock = new FakeClock()
  const arrivals = new Arrivals('traces', clock)
  const enter = (length?: number) => {
    arrivals.ask(length)
    return arrivals.enter()
  }
  const counts = () => [arrivals.ahead, arrivals.aheadBytes]
  return { clock, arrivals, enter, counts }
}

it('counts requests until they are whole, by the length that was announced', () => {
  const { arrivals, enter, counts } = rig()
  const [a, b] = [enter(100), enter(30)]
  expect(counts()).toEqual([2, 130])
  a.arrived(100)
  expect(counts()).toEqual([1, 30])
  a.arrived(100)
  expect(counts()).toEqual([1, 30])
  b.arrived(0)
  expect(counts()).toEqual([0, 0])
  expect(arrivals.ask(7)).toMatchObject({ signal: 'traces', bytes: 7, ahead: 0, aheadBytes: 0 })
})

it('where nobody announces one, expects what came last', () => {
  const { arrivals, enter } = rig()
  expect(arrivals.ask(undefined).bytes).toBe(0)
  enter().arrived(1600)
  expect(arrivals.ask(undefined).bytes).toBe(1600)
  // One that never came says nothing.
  enter().arrived(0)
  expect(arrivals.ask(undefined).bytes).toBe(1600)
  enter().arrived(0 + 3200)
  // A sixteenth of the difference.
  expect(arrivals.ask(undefined).bytes).toBe(1700)
  enter()
  expect(arrivals.aheadBytes).toBe(1700)
})

it('forgets who is late, and is not confused when that one comes after all', async () => {
  const { clock, arrivals, enter, counts } = rig()
  const late = enter(10)
  await clock.advance(2000)
  enter(5)
  expect(counts()).toEqual([2, 15])
  await clock.advance(2000)
  arrivals.ask(1)
  expect(counts()).toEqual([1, 5])
  late.arrived(10)
  expect(counts()).toEqual([1, 5])
  await clock.advance(60_000)
  arrivals.ask(1)
  expect(counts()).toEqual([0, 0])
})

it('counts who is slow for as long as something comes', async () => {
  const { clock, arrivals, enter, counts } = rig()
  const slow = enter(10)
  for (let i = 0; i < 5; i++) {
    await clock.advance(2000)
    arrivals.ask(1)
    slow.arriving()
    expect(counts()).toEqual([1, 10])
  }
  await clock.advance(60_000)
  arrivals.ask(1)
  expect(counts()).toEqual([0, 0])
  slow.arriving()
  expect(counts()).toEqual([1, 10])
  slow.arrived(10)
  slow.arriving()
  expect(counts()).toEqual([0, 0])
})

it('counts who is too slow for half a minute: others are turned away for its place', async () => {
  const { clock, arrivals, enter, counts } = rig()
  const drips = enter(10)
  // Its first period, fifteen more, and the last one as the older of two.
  for (let seconds = 2; seconds <= 40; seconds += 2) {
    await clock.advance(2000)
    arrivals.ask(1)
    drips.arriving()
    expect([seconds, ...counts()]).toEqual(seconds <= 32 ? [seconds, 1, 10] : [seconds, 0, 0])
  }
  drips.arrived(10)
  expect(counts()).toEqual([0, 0])
})
