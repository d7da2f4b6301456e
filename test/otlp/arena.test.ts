import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArenaPool } from '../../src/otlp/arena.ts'

const MIB = 1 << 20

test('what was released is given out again, and only then', () => {
  const pool = new ArenaPool(MIB)
  const first = pool.take(10_000)
  const second = pool.take(10_000)
  expect(second.buffer).not.toBe(first.buffer)
  pool.release(first)
  expect(pool.take(10_000).buffer).toBe(first.buffer)
})

test('bytes are free when the last who held them lets go', () => {
  const pool = new ArenaPool(MIB)
  const bytes = pool.take(10_000)
  pool.retain(bytes.subarray(5, 10))
  pool.release(bytes)
  expect(pool.idleBytes).toBe(0)
  pool.release(bytes.subarray(7))
  expect(pool.idleBytes).toBeGreaterThanOrEqual(10_000)
  expect(() => pool.release(bytes)).toThrow('released more often')
  expect(() => pool.retain(bytes)).toThrow('after they had been released')
})

test('beyond the limit what comes back is freed, not kept', () => {
  const pool = new ArenaPool(MIB)
  const taken = Array.from({ length: 4 }, () => pool.take(500_000))
  pool.releaseAll(taken)
  expect(pool.idleBytes).toBeLessThanOrEqual(MIB)
  expect(taken.filter(({ byteLength }) => byteLength === 0)).toHaveLength(2)
})

test('small and foreign bytes pass through without books', () => {
  const pool = new ArenaPool(MIB)
  for (const bytes of [pool.take(0), pool.take(100), new Uint8Array(50_000)]) {
    pool.retain(bytes)
    pool.release(bytes)
    pool.release(bytes)
  }
  expect(pool.idleBytes).toBe(0)
})

test('any length fits its arena, which is at most a quarter larger', () => {
  const pool = new ArenaPool(MIB)
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 4096, max: 70_000 }), fc.integer({ min: 4096, max: 1 << 24 })), (length) => {
      const bytes = pool.take(length)
      expect(bytes.length).toBe(length)
      expect(bytes.buffer.byteLength).toBeGreaterThanOrEqual(length)
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(length * 1.25 + 1)
      pool.release(bytes)
    }),
    { numRuns: 500 },
  )
})

test('an arena with one holder is surrendered, and its release has no effect any more', () => {
  const pool = new ArenaPool(MIB)
  const bytes = pool.take(10_000)
  pool.retain(bytes)
  expect(pool.surrender(bytes)).toBeUndefined()
  pool.release(bytes)
  const arena = pool.surrender(bytes.subarray(100))
  expect(arena).toBe(bytes.buffer)
  pool.release(bytes)
  expect([pool.held, pool.idleBytes]).toEqual([0, 0])
  expect(pool.surrender(new Uint8Array(10_000))).toBeUndefined()
})

test('what another pool surrendered is held once and goes round like any other', () => {
  const pool = new ArenaPool(MIB)
  const from = new ArenaPool(MIB)
  const arena = from.surrender(from.take(10_000))!
  pool.adopt(arena)
  expect(pool.held).toBe(1)
  pool.release(new Uint8Array(arena, 5, 10))
  expect([pool.held, pool.idleBytes]).toEqual([0, arena.byteLength])
  expect(pool.take(arena.byteLength).buffer).toBe(arena)
})

test('a buffer that no pool made is not taken in', () => {
  const pool = new ArenaPool(MIB)
  for (const length of [0, 100, 10_001, 1 << 27]) {
    pool.adopt(new ArrayBuffer(length))
    pool.release(new Uint8Array(length))
  }
  expect([pool.held, pool.idleBytes]).toEqual([0, 0])
})

test('what was not needed since the last time is freed, the rest is kept', () => {
  const pool = new ArenaPool(64 * MIB)
  const taken = Array.from({ length: 4 }, () => pool.take(MIB))
  pool.releaseAll(taken)
  pool.trimUnused(64 * MIB)
  expect(pool.idleBytes).toBe(4 * MIB)
  pool.release(pool.take(MIB))
  // One of the four was needed.
  pool.trimUnused(64 * MIB)
  expect(pool.idleBytes).toBe(MIB)
  pool.trimUnused(MIB - 1)
  expect(pool.idleBytes).toBe(MIB)
  pool.trimUnused(MIB)
  expect(pool.idleBytes).toBe(0)
  expect(pool.take(MIB).byteLength).toBe(MIB)
})
