// The limiter with a measure and a collector that the test sets. What this does not show: that V8 frees anything
// (thread-memory.test.ts), and what receivers do with it (test/faults/memory-limited.test.ts).
import { expect, test } from 'vitest'
import { pressureSettings } from '../../src/memory/limiter-fields.ts'
import { MemoryLimiter } from '../../src/memory/memory-limiter.ts'
import { type TestContext, testContext } from '../support/context.ts'

const MIB = 1 << 20

interface Rig {
  readonly ctx: TestContext
  readonly limiter: MemoryLimiter
  used: number
  /** What a collection leaves; the same if absent. */
  afterGc?: number
  collections: number
}

function rig(): Rig {
  const ctx = testContext({ memory: { used: () => rig.used } })
  const settings = pressureSettings(
    {
      check_interval: 1000,
      limit_mib: 100,
      limit_percentage: 0,
      spike_limit_mib: 20,
      spike_limit_percentage: 0,
      min_gc_interval_when_soft_limited: 10_000,
      min_gc_interval_when_hard_limited: 0,
      max_gc_interval_when_soft_limited: 30_000,
      max_gc_interval_when_hard_limited: 30_000,
    },
    0,
  )
  const rig: Rig = {
    ctx,
    used: 0,
    collections: 0,
    limiter: new MemoryLimiter(settings, ctx, () => {
      rig.collections++
      rig.used = rig.afterGc ?? rig.used
    }),
  }
  return rig
}

test('refuses at the next check, closes the byte budget, and says so once', async () => {
  const one = rig()
  const { ctx, limiter } = one
  limiter.attach(ctx)
  one.used = 80 * MIB
  expect(limiter.refusing).toBe(false)
  await ctx.clock.advance(1000)
  expect([limiter.refusing, ctx.admission.limited]).toEqual([true, true])
  await ctx.clock.advance(3000)
  one.used = 79 * MIB
  await ctx.clock.advance(1000)
  expect([limiter.refusing, ctx.admission.limited]).toEqual([false, false])
  expect(ctx.lines.map(({ msg }) => msg)).toEqual([
    'Memory usage is above soft limit. Refusing data.',
    'Memory usage back within limits. Resuming normal operation.',
  ])
  expect(ctx.reports.map(({ status }) => status)).toEqual([...Array<string>(4).fill('recoverable'), 'ok'])
  limiter.detach(ctx)
  expect(ctx.clock.timers).toBe(0)
})

test('collects above the hard limit, and refuses nothing where that was enough', async () => {
  const one = rig()
  one.limiter.attach(one.ctx)
  one.used = 100 * MIB
  one.afterGc = 50 * MIB
  await one.ctx.clock.advance(1000)
  expect([one.collections, one.limiter.refusing]).toEqual([1, false])
  expect(one.ctx.lines.map(({ msg }) => msg)).toEqual(['Memory usage is above hard limit. Forcing a GC.'])
  one.limiter.detach(one.ctx)
})

test('where collecting frees nothing it is done ever less often', async () => {
  const one = rig()
  one.limiter.attach(one.ctx)
  one.used = 100 * MIB
  // At 1 s; then pauses of more than 1.9, 3.8, 7.6, 15.2 and 30 s, each at the next full second: 3, 7, 15, 31 and 62 s.
  await one.ctx.clock.advance(62_000)
  expect(one.collections).toBe(6)
  one.limiter.detach(one.ctx)
})

test('the last component that stops ends the checks and lets everything in', async () => {
  const one = rig()
  const { ctx, limiter } = one
  const second = testContext()
  limiter.attach(ctx)
  limiter.attach(second)
  expect(ctx.clock.timers).toBe(1)
  one.used = 90 * MIB
  await ctx.clock.advance(1000)
  limiter.detach(ctx)
  expect([ctx.admission.limited, ctx.clock.timers]).toEqual([true, 1])
  limiter.detach(second)
  limiter.detach(second)
  expect([ctx.admission.limited, ctx.clock.timers]).toEqual([false, 0])
})

test.each([
  [{ limit_mib: 500 }, 500, 400],
  [{ limit_mib: 500, spike_limit_mib: 50 }, 500, 450],
  [{ limit_percentage: 50 }, 1000, 800],
  [{ limit_percentage: 50, spike_limit_percentage: 20 }, 1000, 600],
  [{ limit_mib: 500, limit_percentage: 50, spike_limit_percentage: 20 }, 500, 400],
])('%j of 2000 MiB: hard limit %i, soft limit %i', (config, hard, soft) => {
  const settings = pressureSettings(
    {
      check_interval: 1000,
      limit_mib: 0,
      limit_percentage: 0,
      spike_limit_mib: 0,
      spike_limit_percentage: 0,
      min_gc_interval_when_soft_limited: 0,
      min_gc_interval_when_hard_limited: 0,
      max_gc_interval_when_soft_limited: 0,
      max_gc_interval_when_hard_limited: 0,
      ...config,
    },
    2000 * MIB,
  )
  expect([settings.hardLimit, settings.softLimit]).toEqual([hard * MIB, soft * MIB])
})
