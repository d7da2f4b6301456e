import { expect, test } from 'vitest'
import generator from '../../../receivers/generator/generator.ts'
import type { Component, Outputs } from '../../../src/component/contracts.ts'
import type { Acknowledgement, Consumer, Delivery } from '../../../src/component/delivery.ts'
import { ack } from '../../../src/component/delivery.ts'
import { validate } from '../../../src/otlp/validate.ts'
import { type TestContext, testContext } from '../../support/context.ts'

type Config = Parameters<typeof generator.create>[0]

const CONFIG: Config = {
  traces: { rate: 100 },
  metrics: { rate: 0 },
  logs: { rate: 0 },
  seed: 1,
  total: undefined,
  batch_size: 1000,
  error_ratio: 0.05,
  pii_ratio: 0.1,
}

/** Keeps deliveries, or settles them at once. */
class Taker implements Consumer {
  readonly acknowledges: Acknowledgement = 'delivered'
  readonly taken: Delivery[] = []
  settles: boolean

  constructor(settles: boolean) {
    this.settles = settles
  }

  consume(delivery: Delivery): void {
    this.taken.push(delivery)
    if (this.settles) ack(delivery)
  }

  get items(): number {
    return this.taken.reduce((sum, { batch }) => sum + batch.items, 0)
  }
}

async function started(config: Partial<Config>, outputs: Outputs): Promise<{ ctx: TestContext; receiver: Component }> {
  const ctx = testContext({ kind: 'receiver', id: 'generator' })
  const receiver = await generator.create({ ...CONFIG, ...config }, ctx, outputs)
  await receiver.start?.()
  return { ctx, receiver }
}

test('each signal comes at its own rate, and only where somebody takes it', async () => {
  const traces = new Taker(true)
  const metrics = new Taker(true)
  const { ctx } = await started({ metrics: { rate: 7 }, logs: { rate: 50 } }, { traces, metrics })
  await ctx.clock.advance(10_000)
  expect(traces.items).toBe(1000)
  expect(metrics.items).toBe(70)
  for (const { batch } of traces.taken) expect(validate('traces', batch.chunks[0]!)).toBe(batch.items)
})

test('a fraction of an item a second adds up', async () => {
  const traces = new Taker(true)
  const { ctx } = await started({ traces: { rate: 0.25 } }, { traces })
  await ctx.clock.advance(12_000)
  expect(traces.items).toBe(3)
})

test('requests hold batch_size items at most', async () => {
  const traces = new Taker(true)
  const { ctx } = await started({ traces: { rate: 100_000 }, batch_size: 400 }, { traces })
  await ctx.clock.advance(1000)
  expect(traces.items).toBe(100_000)
  expect(Math.max(...traces.taken.map(({ batch }) => batch.items))).toBe(400)
})

test('nobody waits for a delivery: it is admitted when it is handed over', async () => {
  const traces = new Taker(false)
  const { ctx } = await started({}, { traces })
  await ctx.clock.advance(1000)
  expect(traces.taken[0]!.awaited).toBe(false)
})

test('total ends it after exactly that many items of each signal', async () => {
  const traces = new Taker(true)
  const logs = new Taker(true)
  const { ctx } = await started({ logs: { rate: 33 }, total: 250 }, { traces, logs })
  await ctx.clock.advance(60_000)
  expect(traces.items).toBe(250)
  expect(logs.items).toBe(250)
  expect(ctx.clock.timers).toBe(0)
})

test('while four deliveries are on their way what is due is skipped and counted', async () => {
  const traces = new Taker(false)
  const { ctx } = await started({}, { traces })
  await ctx.clock.advance(10_000)
  // One a second, 100 items each: four went out, six did not.
  expect(traces.taken.length).toBe(4)
  const skipped = (): number | undefined =>
    ctx.meter.value('sluice_generator_skipped_items', { receiver: 'generator', signal: 'traces' })
  expect(skipped()).toBe(600)
  ack(traces.taken[0]!)
  await ctx.clock.advance(2000)
  expect(traces.taken.length).toBe(5)
  expect(skipped()).toBe(700)
})

test('a stopped one makes nothing more and leaves no timer; stopping twice or unstarted is fine', async () => {
  const traces = new Taker(true)
  const { ctx, receiver } = await started({}, { traces })
  await ctx.clock.advance(1000)
  const deadline = { remaining: () => 0, signal: AbortSignal.abort() }
  await receiver.stop?.(deadline)
  await receiver.stop?.(deadline)
  await ctx.clock.advance(10_000)
  expect(traces.items).toBe(100)
  expect(ctx.clock.timers).toBe(0)
  const unstarted = await generator.create(CONFIG, testContext(), { traces })
  await unstarted.stop?.(deadline)
})

test('without a seed, starts at different times differ', async () => {
  const bytes = await Promise.all(
    [0, 1].map(async (shift) => {
      const ctx = testContext({ kind: 'receiver' })
      await ctx.clock.advance(shift)
      const traces = new Taker(true)
      const receiver = await generator.create({ ...CONFIG, seed: undefined }, ctx, { traces })
      await receiver.start?.()
      await ctx.clock.advance(1000)
      return Buffer.from(traces.taken[0]!.batch.chunks[0]!).toString('hex')
    }),
  )
  expect(bytes[0]).not.toBe(bytes[1])
})
