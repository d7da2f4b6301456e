// What a thread gives back when it has nothing to do. What this does not show: that resident memory falls (bench case `overload`).
import { expect, test } from 'vitest'
import { giveBackIdleMemory } from '../../src/memory/idle-memory.ts'
import { ArenaPool } from '../../src/otlp/arena.ts'
import { FakeClock } from '../support/fake-clock.ts'

const MIB = 1 << 20

function rig() {
  const clock = new FakeClock()
  const pool = new ArenaPool(64 * MIB)
  let collections = 0
  const giving = giveBackIdleMemory(clock, pool, () => void collections++)
  return {
    clock,
    pool,
    giving,
    collections: () => collections,
    work: (times: number, bytes = MIB) => {
      for (let i = 0; i < times; i++) pool.release(pool.take(bytes))
    },
  }
}

test('garbage is collected once after work, when little was taken for three looks', async () => {
  const { clock, collections, work } = rig()
  work(64)
  await clock.advance(2000)
  work(4)
  await clock.advance(3 * 2000)
  expect(collections()).toBe(0)
  await clock.advance(2000)
  expect(collections()).toBe(1)
  await clock.advance(60_000)
  expect(collections()).toBe(1)
  // Too little to be worth one.
  work(63)
  await clock.advance(60_000)
  expect(collections()).toBe(1)
  work(1)
  await clock.advance(60_000)
  expect(collections()).toBe(2)
})

test('requests that are too small for the pool are work as well', async () => {
  const { clock, collections, work } = rig()
  work(64, 100)
  await clock.advance(4 * 2000)
  expect(collections()).toBe(1)
})

test('a few requests that never end keep no garbage, and are collected behind by the 64', async () => {
  const { clock, collections, work } = rig()
  work(1000)
  const seen: number[] = []
  for (let look = 1; look <= 30; look++) {
    await clock.advance(2000)
    seen.push(collections())
    work(3)
  }
  // The first look sees the work, the three after it are quiet; 22 more have seen 66 requests.
  expect(seen).toEqual([...Array(3).fill(0), ...Array(22).fill(1), ...Array(5).fill(2)])
})

test('arenas that nobody needs are freed in slices of 16 MiB, those in use never', async () => {
  const { clock, pool } = rig()
  const taken = Array.from({ length: 40 }, () => pool.take(MIB))
  const used = pool.take(MIB)
  pool.releaseAll(taken)
  const seen: number[] = []
  for (let i = 0; i < 5; i++) {
    await clock.advance(2000)
    seen.push(pool.idleBytes / MIB)
  }
  // At the first look all of it had been needed a moment ago.
  expect(seen).toEqual([40, 24, 8, 0, 0])
  expect(used.byteLength).toBe(MIB)
})

test('no timer stays', () => {
  const { clock, giving } = rig()
  giving.stop()
  expect(clock.timers).toBe(0)
})
