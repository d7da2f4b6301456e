// What a queue does that is full: in requests, items or bytes, refusing or letting senders wait. What this does not show:
// that a waiting client's deadline reaches here (the receiver's tests do).
import { describe, expect, it } from 'vitest'
import { deadlineIn } from '../support/context.ts'
import { opaqueBatch, track } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, rig } from './support.ts'

// An opaque batch has 6 bytes.

describe('queue_size_bytes', () => {
  it('refuses as a full queue does, whatever queue_size allows', async () => {
    const { give, peer, ctx } = rig({ queue_size_bytes: 12 })
    expect([give(opaqueBatch(1)), give(opaqueBatch(1))].map(({ events }) => events)).toEqual([
      ['admitted'],
      ['admitted'],
    ])
    const refused = give(opaqueBatch(5))
    expect(refused.events).toEqual(['retry:queue_full'])
    expect(refused.outcome).toMatchObject({
      failure: {
        message:
          'exporter otlp/eu: the queue is full (12 of 12 bytes, 2 in flight); see why the peer is slow, or raise sending_queue.queue_size_bytes',
        retryAfterMs: 1000,
      },
    })
    expect(ctx.meter.series).toMatchObject({
      'sluice_exporter_queue_bytes{data_type=traces,exporter=otlp/eu}': 12,
      'sluice_exporter_queue_capacity_bytes{data_type=traces,exporter=otlp/eu}': 12,
      'otelcol_exporter_enqueue_failed_spans{data_type=traces,exporter=otlp/eu}': 5,
    })
    peer.attempts[0]!.end(OK)
    await settled()
    expect(give(opaqueBatch(1)).events).toEqual(['admitted'])
  })

  it('is 256 MiB by default, none with sizer bytes, and rejects what is larger by itself', () => {
    const huge = { ...opaqueBatch(1), byteLength: 256 * 1024 * 1024 + 1 }
    const byDefault = rig().give(huge)
    expect(byDefault.events).toEqual(['reject:larger_than_queue'])
    expect(byDefault.outcome).toMatchObject({
      failure: {
        message:
          'exporter otlp/eu: the batch of 268435457 bytes is larger than sending_queue.queue_size_bytes (268435456); raise it, or split batches before',
      },
    })
    expect(rig({ queue_size_bytes: 0 }).give(huge).events).toEqual(['admitted'])
    expect(rig({ sizer: 'bytes', queue_size: 2 ** 30 }).give(huge).events).toEqual(['admitted'])
    expect(rig({ sizer: 'bytes', queue_size: 2 ** 30, queue_size_bytes: 6 }).give(huge).events).toEqual([
      'reject:larger_than_queue',
    ])
  })
})

it('takes what has no items where items are counted, as the Collector does', () => {
  const { give, peer } = rig({ sizer: 'items', queue_size: 1 })
  expect(give(opaqueBatch(0)).events).toEqual(['ok'])
  expect(peer.attempts).toEqual([])
})

describe('block_on_overflow', () => {
  it('lets senders wait for room, in the order in which they came', async () => {
    const { give, peer, ctx } = rig({ sizer: 'items', queue_size: 10, num_consumers: 1, block_on_overflow: true })
    const first = give(opaqueBatch(10))
    const large = give(opaqueBatch(8))
    // It would not fit either way, and later it may not overtake the larger one.
    const small = give(opaqueBatch(2))
    const last = give(opaqueBatch(3))
    expect([first, large, small, last].map(({ events }) => events)).toEqual([['admitted'], [], [], []])
    expect(large.delivery.awaited).toBe(true)
    expect(ctx.meter.total('sluice_exporter_blocked_requests')).toBe(3)
    expect(ctx.meter.total('otelcol_exporter_enqueue_failed_spans')).toBe(0)
    peer.attempts[0]!.end(OK)
    await settled()
    expect([large, small, last].map(({ events }) => events)).toEqual([['admitted'], ['admitted'], []])
    expect(ctx.meter.total('sluice_exporter_blocked_requests')).toBe(1)
    peer.answers = () => OK
    peer.attempts[1]!.end(OK)
    await settled()
    await settled()
    expect([large, small, last].map(({ events }) => events)).toEqual(Array(3).fill(['admitted', 'ok']))
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([10, 8, 2, 3])
  })

  it('lets go of a sender that gives up, and those behind it move up', async () => {
    const { give, peer, ctx, said } = rig({ sizer: 'items', queue_size: 10, block_on_overflow: true })
    give(opaqueBatch(8))
    const large = give(opaqueBatch(5))
    const small = give(opaqueBatch(2))
    expect([large.events, small.events]).toEqual([[], []])
    large.leave()
    expect([large.events, small.events]).toEqual([['retry:client_gone'], ['admitted']])
    expect(ctx.meter.total('sluice_exporter_blocked_requests')).toBe(0)
    expect(ctx.meter.total('otelcol_exporter_enqueue_failed_spans')).toBe(5)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([8, 2])
    // Nothing is lost, the client knows that it has no answer; what people read is why it waited.
    expect(said()).toEqual([
      'warn the queue is full (8 of 10 items, 1 in flight); see why the peer is slow, or raise sending_queue.queue_size; let the senders of 1 batch (5 items) wait for room  (EXPORT_QUEUE_FULL)',
    ])
    // A sender that has gone already does not wait at all.
    const gone = give(opaqueBatch(9))
    gone.leave()
    expect(gone.events).toEqual(['retry:client_gone'])
  })

  it('rejects at once what no wait makes room for', () => {
    const { give } = rig({ sizer: 'items', queue_size: 10, block_on_overflow: true })
    expect(give(opaqueBatch(11)).events).toEqual(['reject:larger_than_queue'])
  })

  it('ends at a stop: those who wait are sent elsewhere, what is held is sent', async () => {
    const { give, peer, exporter, ctx } = rig({ queue_size: 2, num_consumers: 1, block_on_overflow: true })
    const [sent, queued, waits] = [give(opaqueBatch(1)), give(opaqueBatch(2)), give(opaqueBatch(3))]
    peer.answers = () => OK
    const stopped = exporter.stop(deadlineIn(ctx.clock, 1000))
    expect(waits.events).toEqual(['stopping:stopping'])
    peer.attempts[0]!.end(OK)
    await stopped
    expect([sent.events, queued.events]).toEqual([
      ['admitted', 'ok'],
      ['admitted', 'ok'],
    ])
    expect(give(opaqueBatch(1)).events).toEqual(['stopping:stopping'])
    expect(ctx.meter.total('sluice_exporter_blocked_requests')).toBe(0)
    waits.leave()
    expect(waits.events.length).toBe(1)
  })

  it('does not let senders wait for a stop that is near, and gives what was acknowledged before its attempt', async () => {
    const { give, peer, exporter, ctx } = rig({ queue_size: 1, num_consumers: 1, block_on_overflow: true })
    give(opaqueBatch(1))
    const waits = give(opaqueBatch(2))
    // As a batch processor hands it on: it has answered for it.
    const promised = track(opaqueBatch(3))
    promised.delivery.admit()
    exporter.consume(promised.delivery)
    exporter.stopping()
    expect([waits.events, promised.events]).toEqual([['stopping:stopping'], ['admitted']])
    expect(give(opaqueBatch(4)).events).toEqual(['stopping:stopping'])
    const stopped = exporter.stop(deadlineIn(ctx.clock, 1000))
    peer.answers = () => OK
    peer.attempts[0]!.end(OK)
    await stopped
    expect(promised.events).toEqual(['admitted', 'ok'])
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 3])
  })

  it('and wait_for_result: the sender waits for both', async () => {
    const { give, peer } = rig({ queue_size: 1, block_on_overflow: true, wait_for_result: true })
    const [first, second] = [give(opaqueBatch(1)), give(opaqueBatch(2))]
    expect(peer.attempts.length).toBe(1)
    peer.attempts[0]!.end(OK)
    await settled()
    expect([first.events, second.events, peer.attempts.length]).toEqual([['ok'], [], 2])
    peer.attempts[1]!.end(OK)
    await settled()
    expect(second.events).toEqual(['ok'])
  })
})
