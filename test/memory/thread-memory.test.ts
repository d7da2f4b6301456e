// What V8 and Node say about memory, for real: figures have wide margins, since the test runner allocates as well.
import { expect, test } from 'vitest'
import { collectGarbage } from '../../src/memory/collect-garbage.ts'
import { ThreadMemory } from '../../src/memory/thread-memory.ts'
import { arenas } from '../../src/otlp/arena.ts'

const MIB = 1 << 20

test('sums all threads, each as it last published', () => {
  const memory = ThreadMemory.memory()
  const main = new ThreadMemory(memory, 0)
  const lane = new ThreadMemory(memory, 1)
  main.publish()
  const alone = new Float64Array(memory)[0]!
  expect(alone).toBeGreaterThan(MIB)
  const own = process.memoryUsage()
  // Both are this thread: the sum is about twice its heap and buffers.
  expect(Math.abs(lane.used() - 2 * (own.heapUsed + own.external)) / MIB).toBeLessThan(20)
})

test('counts buffers while they are held, and no longer once they were collected', () => {
  const one = new ThreadMemory(ThreadMemory.memory(), 0)
  collectGarbage()
  const before = one.used()
  let held: Buffer | undefined = Buffer.alloc(64 * MIB)
  expect((one.used() - before) / MIB).toBeGreaterThan(60)
  expect(held.length).toBe(64 * MIB)
  held = undefined
  collectGarbage()
  expect((one.used() - before) / MIB).toBeLessThan(10)
})

test('collecting frees pooled memory that lies unused, and none that is held', () => {
  const held = arenas.take(MIB).fill(7)
  arenas.release(arenas.take(2 * MIB))
  expect(arenas.idleBytes).toBeGreaterThanOrEqual(2 * MIB)
  collectGarbage()
  expect(arenas.idleBytes).toBe(0)
  expect(held.every((byte) => byte === 7)).toBe(true)
  arenas.release(held)
})
