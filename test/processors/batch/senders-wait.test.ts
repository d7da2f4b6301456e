import { describe, expect, it } from 'vitest'
import { ack, nack } from '../../../src/component/delivery.ts'
import { deadlineIn } from '../../support/context.ts'
import { opaqueBatch, track } from '../../support/deliveries.ts'
import { settled } from '../../support/fake-clock.ts'
import { rig } from './support.ts'

describe('batch while senders wait', () => {
  it('sends a lone request at once, without a timer', async () => {
    const { ctx, next, consume } = rig('delivered')
    for (let i = 1; i <= 3; i++) {
      const { events } = consume(512)
      await settled()
      expect(next.items.length).toBe(i)
      ack(next.last)
      expect(events).toEqual(['ok'])
    }
    expect(ctx.clock.monotonic()).toBe(0)
    expect(ctx.meter.value('sluice_processor_batch_early_send', { processor: 'batch' })).toBe(3)
  })

  it('joins what arrives together, then what arrives while that is away', async () => {
    const { next, consume } = rig('delivered')
    for (const items of [1, 2, 4]) consume(items)
    await settled()
    expect(next.items).toEqual([7])
    for (const items of [8, 16]) consume(items)
    await settled()
    expect(next.items).toEqual([7])
    ack(next.last)
    await settled()
    expect(next.items).toEqual([7, 24])
  })

  it('sends what nothing joined for 5 ms, though other senders wait', async () => {
    const { ctx, next, consume } = rig('delivered')
    consume(1)
    await settled()
    consume(2)
    await ctx.clock.advance(4)
    consume(4)
    await ctx.clock.advance(4)
    expect(next.items).toEqual([1])
    await ctx.clock.advance(1)
    expect(next.items).toEqual([1, 6])
  })

  it('leaves out what nobody waits for any more, and books it', async () => {
    const { ctx, next, consume } = rig('delivered')
    const [gone, waits] = [consume(1), consume(2)]
    gone.leave()
    await settled()
    expect(next.items).toEqual([2])
    expect(gone.events).toEqual(['retry:client_gone'])
    expect(ctx.booked.get('failed/traces/client_gone')).toBe(1)
    // What has left goes on as long as one of its senders waits.
    expect(next.last.abandoned).toBe(false)
    waits.leave()
    expect(next.last.abandoned).toBe(true)
    ack(next.last)
    expect(waits.events).toEqual(['ok'])
  })

  it('sends nothing where everybody has gone', async () => {
    const { next, consume } = rig('delivered')
    const { leave, events } = consume(1)
    leave()
    await settled()
    expect([next.items, events]).toEqual([[], ['retry:client_gone']])
  })

  it('sends by size, and by the timeout where arrivals never pause', async () => {
    const { ctx, next, consume } = rig('delivered', { triggerItems: 1000 })
    consume(999)
    await settled()
    consume(999)
    consume(1)
    expect(next.items).toEqual([999, 1000])
    for (let i = 0; i < 100; i++) {
      consume(1)
      await ctx.clock.advance(2)
    }
    expect(next.items).toEqual([999, 1000, 100])
  })

  it('leaves deliveries that nobody awaits to size and timeout', async () => {
    const { ctx, next, processor } = rig('delivered')
    const { delivery, events } = track(opaqueBatch(5))
    delivery.admit()
    processor.consume(delivery)
    await ctx.clock.advance(199)
    expect(next.items).toEqual([])
    await ctx.clock.advance(1)
    ack(next.last)
    expect(events).toEqual(['admitted', 'ok'])
  })

  it('stops waiting for a sender when a queue on disk has answered it', async () => {
    const { next, consume } = rig('persisted')
    const first = consume(1)
    await settled()
    consume(2)
    await settled()
    expect(next.items).toEqual([1])
    next.last.admit()
    expect(first.events).toEqual(['admitted'])
    await settled()
    expect(next.items).toEqual([1, 2])
  })

  it('passes a refusal on: the senders still have the data', async () => {
    const { next, consume } = rig('delivered')
    const taken = [consume(1), consume(2)]
    await settled()
    nack(next.last, { verdict: 'retry', reason: 'unreachable', message: 'down' })
    expect(taken.map(({ events }) => events)).toEqual([['retry:unreachable'], ['retry:unreachable']])
  })

  it('hands on at a stop what is held', async () => {
    const { ctx, next, processor, consume } = rig('delivered')
    const { events } = consume(1)
    await processor.stop(deadlineIn(ctx.clock, 0))
    expect(next.items).toEqual([1])
    ack(next.last)
    expect(events).toEqual(['ok'])
    expect(ctx.clock.timers).toBe(0)
  })
})
