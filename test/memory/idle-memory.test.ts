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
    work: (times: number) => {
      for (let i = 0; i < times; i++) pool.release(pool.take(MIB))
    },
  }
}

test('garbage is collected once after work, when nothing was taken for three looks', async () => {
  const { clock, collections, work } = rig()
  work(64)
  await clock.advance(2000)
  work(1)
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
