import { describe, expect, it } from 'vitest'
import { ack, deliver, nack } from '../../../src/component/delivery.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { deadlineIn } from '../../support/context.ts'
import { opaqueBatch, track } from '../../support/deliveries.ts'
import { settled } from '../../support/fake-clock.ts'
import { rig } from './support.ts'

const FULL = { verdict: 'retry', reason: 'queue_full', message: 'full' } as const

describe('batch before a queue in memory', () => {
  it('admits on arrival and leaves when send_batch_size is reached', () => {
    const { next, consume } = rig('admitted', { triggerItems: 100 })
    const taken = [40, 50, 30].map((items) => consume(items))
    expect(taken.map(({ events }) => events)).toEqual([['admitted'], ['admitted'], ['admitted']])
    expect(next.items).toEqual([120])
    expect(next.last.batch.chunks).toEqual(taken.flatMap(({ delivery }) => delivery.batch.chunks))
  })

  it('leaves after the timeout, counted from the first arrival, and never early', async () => {
    const { ctx, next, consume } = rig('admitted')
    consume(1)
    await ctx.clock.advance(150)
    consume(2)
    await ctx.clock.advance(49)
    expect(next.items).toEqual([])
    await ctx.clock.advance(1)
    expect(next.items).toEqual([3])
    expect(ctx.meter.series).toEqual({
      'otelcol_processor_batch_batch_send_size_bytes_count{processor=batch}': 1,
      // Two opaque chunks of 6 bytes.
      'otelcol_processor_batch_batch_send_size_bytes_sum{processor=batch}': 12,
      'otelcol_processor_batch_batch_send_size_count{processor=batch}': 1,
      'otelcol_processor_batch_batch_send_size_sum{processor=batch}': 3,
      'otelcol_processor_batch_timeout_trigger_send{processor=batch}': 1,
    })
  })

  it('sets one timer, however many batches pass', async () => {
    const { ctx, consume } = rig('admitted', { triggerItems: 2 })
    for (let i = 0; i < 101; i++) {
      consume(1)
      expect(ctx.clock.timers).toBe(1)
    }
    await ctx.clock.advance(400)
    expect(ctx.clock.timers).toBe(0)
  })

  it('gives every part the outcome of the whole', async () => {
    const { next, consume } = rig('admitted', { triggerItems: 2 })
    const taken = [consume(1), consume(1), consume(1), consume(1)]
    ack(next.deliveries[0]!)
    next.deliveries[1]!.admit()
    nack(next.deliveries[1]!, { verdict: 'retry', reason: 'retries_exhausted', message: 'gave up' })
    expect(taken.map(({ events }) => events[1])).toEqual([
      'ok',
      'ok',
      'retry:retries_exhausted',
      'retry:retries_exhausted',
    ])
  })

  it('keeps what it admitted and found no room for, offers it again at 50, 100, 200, … up to 1000 ms', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 1 })
    const { events } = consume(1)
    const waits: number[] = []
    for (let i = 0; i < 7; i++) {
      nack(next.last, FULL)
      waits.push(ctx.clock.next!)
      await ctx.clock.advance(ctx.clock.next!)
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1000, 1000])
    expect(events).toEqual(['admitted'])
    // Each refusal was booked by the pipeline's end as failed and is taken back.
    expect(ctx.booked.get('failed/traces/queue_full')).toBe(-7)
    next.last.admit()
    ack(next.last)
    expect(events).toEqual(['admitted', 'ok'])
  })

  it('refuses newcomers before admission once a full batch is held behind a blocked one', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 10 })
    consume(10)
    nack(next.last, FULL)
    const held = [consume(6), consume(6)]
    expect(held.map(({ events }) => events)).toEqual([['admitted'], ['admitted']])
    expect(consume(1).events).toEqual(['retry:queue_full'])
    expect(next.items).toEqual([10])
    await ctx.clock.advance(50)
    // The second offer was taken: what waited behind it follows at once.
    expect(next.items).toEqual([10, 10, 12])
    expect(ctx.booked.get('failed/traces/queue_full')).toBe(1 - 10)
    expect(consume(1).events).toEqual(['admitted'])
  })

  it('offers again after 5 s where one branch took the batch and another had no room', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 1 })
    const { events } = consume(1)
    const first = next.last
    first.refuse(FULL)
    await ctx.clock.advance(4999)
    expect(next.items).toEqual([1])
    await ctx.clock.advance(1)
    expect(next.items).toEqual([1, 1])
    nack(first, FULL)
    next.last.admit()
    ack(next.last)
    expect(events).toEqual(['admitted', 'ok'])
    expect(ctx.booked.get('failed/traces/queue_full')).toBe(-1)
  })

  it('offers each batch again at its own time, whichever was refused first', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 1 })
    consume(1)
    consume(2)
    // One was taken by a branch and waits 5 s for the other; that does not hold up the one that nobody took.
    next.deliveries[0]!.refuse(FULL)
    nack(next.deliveries[1]!, FULL)
    await ctx.clock.advance(49)
    expect(next.items).toEqual([1, 2])
    await ctx.clock.advance(1)
    expect(next.items).toEqual([1, 2, 2])
    next.last.admit()
    await ctx.clock.advance(4949)
    expect(next.items).toEqual([1, 2, 2])
    await ctx.clock.advance(1)
    expect(next.items).toEqual([1, 2, 2, 1])
  })

  it('gives ten batches to a queue that lets senders wait, and then holds no more than one', () => {
    const { next, consume } = rig('admitted', { triggerItems: 10 })
    // The queue behind is full and has said nothing yet.
    const admitted = Array.from({ length: 11 }, () => consume(10))
    expect(next.items).toEqual(Array(10).fill(10))
    expect(admitted.map(({ events }) => events)).toEqual(Array(11).fill(['admitted']))
    expect(consume(1).events).toEqual(['retry:queue_full'])
    // There is room for one, and then for all: what was held follows.
    next.deliveries[0]!.admit()
    expect(next.items).toEqual(Array(11).fill(10))
    expect(consume(1).events).toEqual(['admitted'])
    for (const delivery of next.deliveries) ack(delivery)
    expect(admitted.map(({ events }) => events)).toEqual(Array(11).fill(['admitted', 'ok']))
  })

  it('lets a branch that has room have what comes, while another has none, and answers for none of it', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 10 })
    let full = false
    next.consume = (delivery) => {
      next.deliveries.push(delivery)
      if (full) delivery.refuse(FULL)
      else delivery.admit()
    }
    const held = consume(3)
    full = true
    const kept = consume(9)
    // From now on what comes goes as it comes, and its sender hears what the full branch says.
    const first = consume(1)
    expect([next.items, first.events]).toEqual([[12, 1], ['refused:queue_full']])
    nack(next.last, FULL)
    expect(first.events).toEqual(['refused:queue_full', 'retry:queue_full'])
    // Offered again after 5, 10, 20 s: each time it is doubled where it was taken.
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      const before = next.items.length
      const start = ctx.clock.monotonic()
      while (next.items.length === before) await ctx.clock.advance(ctx.clock.next!)
      expect(next.items.slice(before)).toEqual([12])
      waits.push(ctx.clock.monotonic() - start)
    }
    expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
    // Room again: the next one is taken by all, so what is kept follows at once.
    full = false
    const before = next.items.length
    const second = consume(2)
    await ctx.clock.advance(0)
    expect(next.items.slice(before)).toEqual([2, 12])
    for (const delivery of next.deliveries.slice(before)) ack(delivery)
    expect([second, held, kept].map(({ events }) => events)).toEqual(Array(3).fill(['admitted', 'ok']))
    // And all is as before: what comes is joined.
    consume(4)
    consume(6)
    expect(next.items.slice(before)).toEqual([2, 12, 10])
  })

  it('lets go of what it holds too, when a branch has room and another has none', async () => {
    const { ctx, next, consume } = rig('admitted', { triggerItems: 10 })
    consume(10)
    const held = consume(3)
    next.last.refuse(FULL)
    expect(next.items).toEqual([10, 3])
    next.last.admit()
    ack(next.last)
    expect(held.events).toEqual(['admitted', 'ok'])
    await ctx.clock.advance(5000)
    expect(next.items).toEqual([10, 3, 10])
  })

  it('keeps the bytes for the branch that took them until that one is done, however the next offer ends', async () => {
    const { ctx, next, processor } = rig('admitted', { triggerItems: 1 })
    const bytes = arenas.take(10_000).fill(1)
    const parent = deliver(makeBatch('traces', [bytes], 1, { arrivedAt: 0 }), {
      settled: () => arenas.release(bytes),
    })
    processor.consume(parent)
    const first = next.last
    first.refuse(FULL)
    await ctx.clock.advance(5000)
    ack(next.last)
    // The branch that took the first offer still sends it.
    expect(bytes.every((byte) => byte === 1)).toBe(true)
    const before = arenas.held
    nack(first, FULL)
    expect(arenas.held).toBe(before - 1)
  })

  it('sends at once with timeout 0, without answering for the data', () => {
    const { next, consume } = rig('admitted', { timeoutMs: 0 })
    const { events } = consume(3)
    expect(next.items).toEqual([3])
    expect(events).toEqual([])
    nack(next.last, FULL)
    expect(events).toEqual(['retry:queue_full'])
  })

  it('never joins profiles', () => {
    const { next, consume } = rig('admitted')
    consume(3, { signal: 'profiles' })
    consume(4, { signal: 'profiles' })
    expect(next.items).toEqual([3, 4])
  })
})

describe('stop before a queue in memory', () => {
  it('hands on what is held and does not wait for its outcome', async () => {
    const { ctx, next, processor, consume } = rig('admitted')
    const { events } = consume(3)
    await processor.stop(deadlineIn(ctx.clock, 1000))
    expect(next.items).toEqual([3])
    ack(next.last)
    expect(events).toEqual(['admitted', 'ok'])
    expect(consume(1).events).toEqual(['stopping:stopping'])
  })

  it('does not wait for a queue that has not said whether there is room', async () => {
    const { ctx, next, processor, consume } = rig('admitted', { triggerItems: 10 })
    for (let i = 0; i < 11; i++) consume(10)
    await processor.stop(deadlineIn(ctx.clock, 1000))
    expect(next.items).toEqual(Array(11).fill(10))
    expect(ctx.clock.monotonic()).toBe(0)
  })

  it('offers blocked batches until the deadline, then settles all that is left', async () => {
    const { ctx, next, processor, consume } = rig('admitted', { triggerItems: 10 })
    const blocked = consume(10)
    nack(next.last, FULL)
    const held = consume(3)
    const stopped = processor.stop(deadlineIn(ctx.clock, 60))
    await ctx.clock.advance(50)
    expect(next.items).toEqual([10, 10, 3])
    nack(next.deliveries[1]!, FULL)
    nack(next.deliveries[2]!, FULL)
    await ctx.clock.advance(10)
    await stopped
    expect([blocked.events[1], held.events[1]]).toEqual(['retry:queue_full', 'retry:queue_full'])
  })

  it('settles at the deadline what nobody took', async () => {
    const { ctx, next, processor, consume } = rig('admitted', { triggerItems: 10 })
    const blocked = consume(10)
    nack(next.last, FULL)
    const held = consume(3)
    const stopped = processor.stop(deadlineIn(ctx.clock, 40))
    await ctx.clock.advance(40)
    await stopped
    expect([blocked.events[1], held.events[1]]).toEqual(['stopping:stopping', 'stopping:stopping'])
    expect(Object.fromEntries(ctx.booked)).toEqual({ 'failed/traces/queue_full': -10, 'failed/traces/stopping': 13 })
    expect(ctx.clock.timers).toBe(0)
    await processor.stop(deadlineIn(ctx.clock, 0))
  })
})

it('tells metadata combinations apart, hands on only metadata_keys, and lets empty ones go', async () => {
  const { ctx, next, consume } = rig('admitted', { metadataKeys: ['tenant'], maxShards: 2 })
  const from = (tenant: string | undefined) => ({
    context: { arrivedAt: 5, metadata: { ...(tenant && { tenant: [tenant] }), authorization: ['secret'] } },
  })
  consume(1, from('a'))
  consume(2, from(undefined))
  consume(4, from('a'))
  const third = consume(8, from('b'))
  expect(third.events).toEqual(['retry:metadata_cardinality'])
  await ctx.clock.advance(200)
  expect(next.deliveries.map(({ batch }) => [batch.items, batch.context])).toEqual([
    [5, { arrivedAt: 5, metadata: { tenant: ['a'] } }],
    [2, { arrivedAt: 5, metadata: {} }],
  ])
  expect(consume(8, from('b')).events).toEqual(['admitted'])
  expect(
    ctx.meter.value('otelcol_processor_batch_metadata_cardinality', { processor: 'batch', pipeline: 'traces' }),
  ).toBe(1)
})

it('leaves nothing waiting for a delivery that was handed on without a chunk', async () => {
  const { ctx, next, processor } = rig('admitted')
  const empty = track({ ...opaqueBatch(0), chunks: [], byteLength: 0 })
  processor.consume(empty.delivery)
  await ctx.clock.advance(200)
  expect(next.items).toEqual([0])
  ack(next.last)
  await settled()
  expect(empty.events).toEqual(['admitted', 'ok'])
})
