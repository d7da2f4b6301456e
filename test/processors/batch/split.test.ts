import { describe, expect, it } from 'vitest'
import { ack, nack } from '../../../src/component/delivery.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { writeProtobufjs } from '../../otlp/support/oracles.ts'
import { track } from '../../support/deliveries.ts'
import { rig } from './support.ts'

let name = 0

/** A request of that many spans in one scope, each with a name of its own. */
function spans(count: number): Uint8Array {
  const all = Array.from({ length: count }, () => ({ name: `span ${name++}` }))
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: all }] }] })
}

function batch(...counts: number[]) {
  const items = counts.reduce((sum, count) => sum + count, 0)
  return makeBatch('traces', counts.map(spans), items, { arrivedAt: 0 })
}

describe('send_batch_max_size', () => {
  it('splits what is larger; the sender reads the worst of the parts', () => {
    const { next, processor } = rig('admitted', { triggerItems: 10, maxItems: 10 })
    const { delivery, events } = track(batch(25))
    processor.consume(delivery)
    // The rest of 5 waits for more.
    expect(next.items).toEqual([10, 10])
    processor.consume(track(batch(8)).delivery)
    // 5 and 8 are 13: what fits whole is not cut to fill a batch up.
    expect(next.items).toEqual([10, 10, 5])
    for (const each of next.deliveries) each.admit()
    ack(next.deliveries[0]!)
    nack(next.deliveries[1]!, { verdict: 'reject', reason: 'rejected', message: 'no' })
    expect(events).toEqual(['admitted'])
    ack(next.deliveries[2]!)
    expect(events).toEqual(['admitted', 'reject:rejected'])
  })

  it('frees the pieces that it wrote as they are settled', () => {
    const { next, processor } = rig('admitted', { triggerItems: 400, maxItems: 400 })
    const before = arenas.held
    processor.consume(track(batch(1200)).delivery)
    expect(next.items).toEqual([400, 400, 400])
    expect(arenas.held - before).toBe(3)
    ack(next.deliveries[0]!)
    nack(next.deliveries[1]!, { verdict: 'reject', reason: 'rejected', message: 'no' })
    expect(arenas.held - before).toBe(1)
    ack(next.deliveries[2]!)
    expect(arenas.held - before).toBe(0)
  })

  it('splits at once with timeout 0', () => {
    const { next, processor } = rig('delivered', { timeoutMs: 0, maxItems: 4 })
    const { delivery, events } = track(batch(10))
    processor.consume(delivery)
    expect(next.items).toEqual([4, 4, 2])
    for (const each of next.deliveries) ack(each)
    expect(events).toEqual(['ok'])
  })

  it('sends nothing larger at the timeout', async () => {
    const { ctx, next, processor } = rig('admitted', { maxItems: 10, triggerItems: 10 })
    for (const count of [9, 8]) processor.consume(track(batch(count)).delivery)
    await ctx.clock.advance(200)
    expect(next.items).toEqual([9, 8])
  })
})
