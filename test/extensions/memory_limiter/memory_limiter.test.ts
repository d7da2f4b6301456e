import { expect, test } from 'vitest'
import { MemoryLimiterExtension } from '../../../extensions/memory_limiter/extension.ts'
import { isGatekeeper } from '../../../src/component/extension-roles.ts'
import { testContext } from '../../support/context.ts'

test('turns calls away by their headers while too much memory is in use', async () => {
  let used = 0
  const ctx = testContext({ kind: 'extension', id: 'memory_limiter', memory: { used: () => used } })
  const extension = new MemoryLimiterExtension(
    {
      check_interval: 100,
      limit_mib: 100,
      limit_percentage: 0,
      spike_limit_mib: 10,
      spike_limit_percentage: 0,
      min_gc_interval_when_soft_limited: 600_000,
      min_gc_interval_when_hard_limited: 600_000,
      max_gc_interval_when_soft_limited: 0,
      max_gc_interval_when_hard_limited: 0,
    },
    ctx,
  )
  expect(isGatekeeper(extension)).toBe(true)
  extension.start()
  expect(extension.admit()).toBeUndefined()
  used = 90 << 20
  await ctx.clock.advance(100)
  // A second at least, however often memory is read.
  expect(extension.admit()).toEqual({
    code: 14,
    message: 'data refused due to high memory usage',
    retryAfterMs: 1000,
    reason: 'memory_limited',
  })
  extension.stop()
  extension.stop()
  expect([ctx.clock.timers, ctx.admission.limited]).toEqual([0, false])
})
