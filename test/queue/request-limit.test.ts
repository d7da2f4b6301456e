import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RequestLimit } from '../../src/queue/request-limit.ts'

const MINUTE = 60_000

it('halves what was refused, whatever else was under way in that size', () => {
  const limit = new RequestLimit(4_000_000)
  for (let i = 0; i < 10; i++) limit.refused(4_000_000, 0)
  expect(limit.at(0)).toBe(2_000_000)
  // Still under way from before.
  limit.refused(4_000_000, 1000)
  expect(limit.at(1000)).toBe(2_000_000)
})

it('grows by an eighth a minute, but not to what was refused in the last half hour', () => {
  const limit = new RequestLimit(4_000_000)
  limit.refused(4_000_000, 0)
  expect([1, 2, 3].map((minutes) => limit.at(minutes * MINUTE))).toEqual([2_250_000, 2_531_250, 2_847_656])
  expect(limit.at(30 * MINUTE)).toBe(3_999_999)
  expect(limit.at(32 * MINUTE)).toBe(4_000_000)
})

it('knows no bounds where none is configured and none was met', () => {
  const limit = new RequestLimit(Number.POSITIVE_INFINITY)
  expect(limit.at(0)).toBe(Number.POSITIVE_INFINITY)
  limit.refused(1000, 0)
  // Less than this is nearly all overhead.
  expect(limit.at(0)).toBe(4096)
})

it('does not come down to crumbs for what was too large although it was small', () => {
  const limit = new RequestLimit(4_194_304)
  limit.refused(100, 0)
  // Else everybody's records would be sent one by one for half an hour.
  expect([0, 1, 29].map((minutes) => limit.at(minutes * MINUTE))).toEqual([4096, 4096, 4096])
  expect(limit.at(31 * MINUTE)).toBeGreaterThan(4096)
})

it('comes to rest where few requests go in vain, whatever the peer takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10_000, max: 4_000_000 }), (takes) => {
      const limit = new RequestLimit(4_194_304)
      let refused = 0
      for (let second = 0; second < 3600; second++) {
        const bytes = limit.at(second * 1000)
        if (bytes > takes) {
          refused++
          limit.refused(bytes, second * 1000)
        }
      }
      // Ten halvings at most, then a try an eighth larger now and then.
      expect(refused).toBeLessThanOrEqual(20)
      expect(limit.at(3_600_000) * 4).toBeGreaterThan(Math.min(takes, 4_194_304))
    }),
  )
})
