import { expect, test } from 'vitest'
import definition from '../../../processors/memory_limiter/memory_limiter.ts'
import type { Component } from '../../../src/component/contracts.ts'
import { ack, type Consumer } from '../../../src/component/delivery.ts'
import type { LimiterConfig } from '../../../src/memory/limiter-fields.ts'
import { testContext } from '../../support/context.ts'
import { opaqueBatch, Sink, track } from '../../support/deliveries.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const MIB = 1 << 20

const config: LimiterConfig = {
  check_interval: 5000,
  limit_mib: 100,
  limit_percentage: 0,
  spike_limit_mib: 0,
  spike_limit_percentage: 0,
  min_gc_interval_when_soft_limited: 600_000,
  min_gc_interval_when_hard_limited: 600_000,
  max_gc_interval_when_soft_limited: 0,
  max_gc_interval_when_hard_limited: 0,
}

async function made(
  settings: LimiterConfig,
  ctx: ReturnType<typeof testContext>,
  sink: Consumer,
): Promise<Component & Consumer> {
  const component = await definition.create(settings, ctx, sink)
  await component.start?.()
  return component
}

test('below the soft limit it hands on; above it refuses with a delay, counts and books', async () => {
  let used = 0
  const ctx = testContext({ kind: 'processor', id: 'memory_limiter/a', memory: { used: () => used } })
  const sink = new Sink()
  const processor = await made({ ...config }, ctx, sink)

  const passed = track(opaqueBatch(3))
  processor.consume(passed.delivery)
  ack(sink.last)
  expect(passed.events).toEqual(['ok'])

  used = 80 * MIB
  await ctx.clock.advance(5000)
  const refused = track(opaqueBatch(4))
  processor.consume(refused.delivery)
  processor.consume(track(opaqueBatch(5, 'logs')).delivery)
  expect(refused.outcome).toEqual({
    ok: false,
    failure: {
      verdict: 'retry',
      reason: 'memory_limited',
      message: 'data refused due to high memory usage',
      retryAfterMs: 5000,
    },
  })
  expect(sink.items).toEqual([3])

  used = 79 * MIB
  await ctx.clock.advance(5000)
  processor.consume(track(opaqueBatch(6)).delivery)
  expect(sink.items).toEqual([3, 6])

  const named = 'otelcol_processor_memory_limiter'
  expect(ctx.meter.series).toEqual({
    [`${named}_accepted_spans{processor=memory_limiter/a}`]: 3 + 6,
    [`${named}_refused_log_records{processor=memory_limiter/a}`]: 5,
    [`${named}_refused_spans{processor=memory_limiter/a}`]: 4,
    'sluice_memory_limiter_limit_bytes{component=processor memory_limiter/a,limit=hard}': 100 * MIB,
    'sluice_memory_limiter_limit_bytes{component=processor memory_limiter/a,limit=soft}': 80 * MIB,
    'sluice_memory_limiter_used_bytes{component=processor memory_limiter/a}': 79 * MIB,
  })
  expect([...ctx.booked]).toEqual([
    ['failed/traces/memory_limited', 4],
    ['failed/logs/memory_limited', 5],
  ])
  await processor.stop?.({ remaining: () => 0, signal: AbortSignal.abort() })
  expect(ctx.clock.timers).toBe(0)
})

test('one configuration in two pipelines is one limiter: one reading for both', async () => {
  let readings = 0
  const clock = new FakeClock()
  const memory = {
    used: () => {
      readings++
      return 90 * MIB
    },
  }
  const one = testContext({ clock, memory, pipeline: 'traces' })
  const two = testContext({ clock, memory, pipeline: 'logs' })
  const shared = { ...config }
  const processors = [await made(shared, one, new Sink()), await made(shared, two, new Sink())]
  const other = await made({ ...config }, testContext({ clock, memory }), new Sink())
  await clock.advance(5000)
  // One of the two that share, one of the third.
  expect(readings).toBe(2)
  expect([one.reports, two.reports]).toEqual(
    Array(2).fill([{ status: 'recoverable', message: 'data refused due to high memory usage' }]),
  )
  for (const processor of [...processors, other]) {
    await processor.stop?.({ remaining: () => 0, signal: AbortSignal.abort() })
  }
  expect(clock.timers).toBe(0)
})
