import { describe, expect, test } from 'vitest'
import { PingEnforcer } from '../../src/transport/ping-enforcer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Which of the pings at these times (ms) is one too many; -1 for none. */
function fatal(enforcer: PingEnforcer, times: readonly number[], streams: number): number {
  return times.findIndex((at) => enforcer.tooMany(at, streams))
}

describe('with calls under way', () => {
  const policy = { minTimeMs: 5 * MINUTE, permitWithoutStream: false }

  test('two early pings are let pass, the third is too many', () => {
    expect(fatal(new PingEnforcer(policy), [0, 1, 2, 3], 1)).toBe(3)
  })

  test('pings that keep their distance go on for ever', () => {
    const times = Array.from({ length: 100 }, (_, index) => index * 5 * MINUTE)
    expect(fatal(new PingEnforcer(policy), times, 1)).toBe(-1)
  })

  test('strikes add up over well-behaved pings in between, as in grpc-go', () => {
    const times = [0, 1, 6 * MINUTE, 6 * MINUTE + 1, 12 * MINUTE, 12 * MINUTE + 1]
    expect(fatal(new PingEnforcer(policy), times, 1)).toBe(5)
  })

  test('an answer clears them', () => {
    const enforcer = new PingEnforcer(policy)
    expect(fatal(enforcer, [0, 1, 2], 1)).toBe(-1)
    enforcer.answered()
    // The first after it counts for nothing.
    expect(fatal(enforcer, [3, 4, 5, 6], 1)).toBe(3)
  })
})

describe('without calls', () => {
  test('a ping every two hours is allowed, and no more', () => {
    const policy = { minTimeMs: MINUTE, permitWithoutStream: false }
    expect(fatal(new PingEnforcer(policy), [0, 2 * HOUR, 4 * HOUR, 6 * HOUR], 0)).toBe(-1)
    expect(fatal(new PingEnforcer(policy), [0, HOUR, 2 * HOUR, 3 * HOUR], 0)).toBe(3)
  })

  test('permit_without_stream lets them as often as with calls', () => {
    const policy = { minTimeMs: MINUTE, permitWithoutStream: true }
    expect(
      fatal(
        new PingEnforcer(policy),
        [0, 1, 2, 3, 4].map((at) => at * MINUTE),
        0,
      ),
    ).toBe(-1)
  })
})
