import { describe, expect, it } from 'vitest'
import { deliver } from '../../src/component/delivery.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import type { QueueConfig, RetryConfig } from '../../src/queue/fields.ts'
import { deadlineIn, type TestContext, testContext } from '../support/context.ts'
import { opaqueBatch, type Tracked, track } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { MemoryMeter } from '../support/memory-meter.ts'
import { FakePeer, OK, queueConfig, REJECTED, retryConfig, UNREACHABLE } from './support.ts'

function rig(queue: Partial<QueueConfig> = {}, retry: Partial<RetryConfig> = {}) {
  const ctx = testContext({ id: 'otlp/eu', signals: ['traces', 'logs'] })
  const peer = new FakePeer()
  const exporter = queuedExporter({
    ctx,
    queue: queueConfig(queue),
    retry: retryConfig(retry),
    timeoutMs: 1234,
    send: peer.send,
  })
  const consume = (items: number, signal: 'traces' | 'logs' = 'traces'): Tracked => {
    const tracked = track(opaqueBatch(items, signal))
    exporter.consume(tracked.delivery)
    return tracked
  }
  return { ctx, peer, exporter, consume }
}

const said = (ctx: TestContext): string[] => ctx.lines.map((line) => `${line.level} ${line.msg}`)

describe('with the queue on', () => {
  it('admits on room and settles with what the peer says', async () => {
    const { peer, consume, exporter, ctx } = rig()
    expect(exporter.acknowledges).toBe('admitted')
    const { events } = consume(10)
    expect(events).toEqual(['admitted'])
    expect(peer.attempts[0]!.options.timeoutMs).toBe(1234)
    peer.attempts[0]!.end(OK)
    await settled()
    expect(events).toEqual(['admitted', 'ok'])
    expect(ctx.meter.series).toEqual({
      'otelcol_exporter_enqueue_size_bytes_count{data_type=traces,exporter=otlp/eu}': 1,
      // An opaque batch has 6 bytes.
      'otelcol_exporter_enqueue_size_bytes_sum{data_type=traces,exporter=otlp/eu}': 6,
      'otelcol_exporter_enqueue_size_count{data_type=traces,exporter=otlp/eu}': 1,
      'otelcol_exporter_enqueue_size_sum{data_type=traces,exporter=otlp/eu}': 10,
      'otelcol_exporter_queue_batch_send_size_bytes_count{data_type=traces,exporter=otlp/eu}': 1,
      'otelcol_exporter_queue_batch_send_size_bytes_sum{data_type=traces,exporter=otlp/eu}': 6,
      'otelcol_exporter_queue_batch_send_size_count{data_type=traces,exporter=otlp/eu}': 1,
      'otelcol_exporter_queue_batch_send_size_sum{data_type=traces,exporter=otlp/eu}': 10,
      'otelcol_exporter_queue_capacity{data_type=logs,exporter=otlp/eu}': 1000,
      'otelcol_exporter_queue_capacity{data_type=traces,exporter=otlp/eu}': 1000,
      'otelcol_exporter_sent_spans{data_type=traces,exporter=otlp/eu}': 10,
      'sluice_exporter_queue_capacity_bytes{data_type=logs,exporter=otlp/eu}': 268_435_456,
      'sluice_exporter_queue_capacity_bytes{data_type=traces,exporter=otlp/eu}': 268_435_456,
    })
  })

  it('has num_consumers under way and holds queue_size in all, per signal', () => {
    const { peer, consume, ctx } = rig({ queue_size: 5, num_consumers: 2 })
    const taken = [1, 2, 3, 4, 5].map((items) => consume(items))
    expect(taken.map(({ events }) => events)).toEqual(Array(5).fill(['admitted']))
    expect(peer.attempts.length).toBe(2)
    const refused = consume(6)
    expect(refused.events).toEqual(['retry:queue_full'])
    expect(refused.outcome).toMatchObject({
      failure: {
        message:
          'exporter otlp/eu: the queue is full (5 of 5 requests, 2 in flight); see why the peer is slow, or raise sending_queue.queue_size',
        retryAfterMs: 1000,
      },
    })
    expect(consume(7, 'logs').events).toEqual(['admitted'])
    expect(ctx.meter.series).toMatchObject({
      'otelcol_exporter_queue_size{data_type=traces,exporter=otlp/eu}': 5,
      'otelcol_exporter_queue_size{data_type=logs,exporter=otlp/eu}': 1,
      'otelcol_exporter_in_flight_requests{data_type=traces,exporter=otlp/eu}': 2,
      'otelcol_exporter_enqueue_failed_spans{data_type=traces,exporter=otlp/eu}': 6,
    })
  })

  it('sends in the order of arrival, the next as soon as one has ended', async () => {
    const { peer, consume } = rig({ num_consumers: 1 })
    for (const items of [1, 2, 3]) consume(items)
    for (let sent = 0; sent < 3; sent++) {
      expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 2, 3].slice(0, sent + 1))
      peer.attempts[sent]!.end(OK)
      await settled()
    }
  })

  it('counts items or bytes where the sizer says so', () => {
    const items = rig({ sizer: 'items', queue_size: 10 })
    expect(items.consume(7).events).toEqual(['admitted'])
    expect(items.consume(4).events).toEqual(['retry:queue_full'])
    expect(items.consume(3).events).toEqual(['admitted'])
    const bytes = rig({ sizer: 'bytes', queue_size: 12 })
    // An opaque batch has 6 bytes.
    expect([1, 1, 1].map((n) => bytes.consume(n).events)).toEqual([['admitted'], ['admitted'], ['retry:queue_full']])
  })

  it('rejects what is larger than the whole queue: no wait would make room', () => {
    const { consume } = rig({ sizer: 'items', queue_size: 10 })
    const { events, outcome } = consume(11)
    expect(events).toEqual(['reject:larger_than_queue'])
    expect(outcome).toMatchObject({
      failure: {
        message:
          'exporter otlp/eu: the batch of 11 items is larger than sending_queue.queue_size (10); raise it, or split batches before',
      },
    })
  })

  it('goes on where somebody throws at an outcome', async () => {
    const { peer, consume, exporter, ctx } = rig({ num_consumers: 1 })
    const throws = deliver(opaqueBatch(1), {
      settled() {
        throw new Error('boom')
      },
    })
    exporter.consume(throws)
    const { events } = consume(2)
    peer.answers = () => OK
    peer.attempts[0]!.end(OK)
    await settled()
    expect(events).toEqual(['admitted', 'ok'])
    expect(said(ctx)).toEqual(['error whoever handed a batch on threw at its outcome: a defect of it'])
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(0)
  })

  it('keeps senders waiting under wait_for_result', async () => {
    const { peer, consume, exporter } = rig({ wait_for_result: true })
    expect(exporter.acknowledges).toBe('delivered')
    const { events } = consume(1)
    expect(events).toEqual([])
    peer.attempts[0]!.end(OK)
    await settled()
    expect(events).toEqual(['ok'])
  })
})

describe('retry', () => {
  it('waits 5 s, then half as long again each time, up to max_interval', async () => {
    const { peer, consume, ctx } = rig({}, { max_elapsed_time: 0 })
    peer.answers = () => UNREACHABLE
    consume(1)
    const waits: (number | undefined)[] = []
    for (let i = 0; i < 7; i++) {
      await settled()
      // The first timer belongs to the batch: nothing else of the exporter uses one without a loss.
      waits.push(ctx.clock.next)
      await ctx.clock.advance(ctx.clock.next!)
    }
    expect(waits).toEqual([5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000])
    expect(peer.attempts.length).toBe(8)
  })

  it('waits as long as the peer asks where that is longer', async () => {
    const { peer, consume, ctx } = rig()
    peer.answers = () => ({ ...UNREACHABLE, retryAfterMs: 8000 })
    consume(1)
    await settled()
    expect(ctx.clock.next).toBe(8000)
  })

  it('gives up at once when the next attempt would pass max_elapsed_time', async () => {
    const { peer, consume, ctx } = rig({}, { max_elapsed_time: 12_499, max_interval: 12_000 })
    peer.answers = () => UNREACHABLE
    const { events, outcome } = { ...consume(3) }
    expect(outcome).toBeUndefined()
    await ctx.clock.advance(5000)
    // 5 s have passed and the next wait is 7.5 s: 12.5 s in all.
    expect(events).toEqual(['admitted', 'retry:retries_exhausted'])
    expect(peer.attempts.length).toBe(2)
    expect(said(ctx)).toEqual([
      'warn cannot reach 127.0.0.1:4317: ECONNREFUSED; 1 batch held  (EXPORT_UNREACHABLE)',
      'error 3 items in 1 batch are lost: gave up after 2 attempts in 5 s, last error: cannot reach 127.0.0.1:4317: ECONNREFUSED  (EXPORT_LOST)',
    ])
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(3)
  })

  it('ends a rejected batch at once, with the status of the peer', async () => {
    const { peer, consume } = rig()
    peer.answers = () => REJECTED
    const tracked = consume(3)
    await settled()
    expect(tracked.events).toEqual(['admitted', 'reject:rejected'])
    expect(tracked.outcome).toMatchObject({ failure: { grpcStatus: 7 } })
  })

  it('makes one attempt where it is off', async () => {
    const { peer, consume } = rig({}, { enabled: false })
    peer.answers = () => UNREACHABLE
    const { events } = consume(3)
    await settled()
    expect(events).toEqual(['admitted', 'retry:unreachable'])
    expect(peer.attempts.length).toBe(1)
  })

  it('tries again what made send throw', async () => {
    const ctx = testContext({ signals: ['traces'] })
    let calls = 0
    const exporter = queuedExporter({
      ctx,
      queue: queueConfig(),
      retry: retryConfig(),
      timeoutMs: 0,
      send: async () => {
        if (calls++ === 0) throw new TypeError('fetch failed')
        return OK
      },
    })
    const { delivery, events } = track(opaqueBatch(1))
    exporter.consume(delivery)
    await ctx.clock.advance(5000)
    expect(events).toEqual(['admitted', 'ok'])
  })

  it('keeps its place among the consumers while it waits', async () => {
    const { peer, consume, ctx } = rig({ num_consumers: 1 })
    peer.answers = (attempt) => (attempt === 1 ? UNREACHABLE : OK)
    consume(1)
    consume(2)
    await ctx.clock.advance(4999)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1])
    await ctx.clock.advance(1)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 1, 2])
  })
})

describe('with the queue off', () => {
  it('lets the sender wait, sends any number at a time, and says retry when it gives up', async () => {
    const { peer, consume, exporter, ctx } = rig({ enabled: false }, { max_elapsed_time: 30_000 })
    expect(exporter.acknowledges).toBe('delivered')
    const taken = Array.from({ length: 40 }, () => consume(1))
    expect(peer.attempts.length).toBe(40)
    for (const attempt of peer.attempts.slice(0, 39)) attempt.end(OK)
    peer.answers = () => UNREACHABLE
    peer.attempts[39]!.end(UNREACHABLE)
    await ctx.clock.advance(30_000)
    expect(taken.slice(0, 39).map(({ events }) => events)).toEqual(Array(39).fill(['ok']))
    expect(taken[39]!.events).toEqual(['retry:retries_exhausted'])
    // The sender still has it: nothing is lost.
    expect(ctx.lines.filter((line) => line.level === 'error')).toEqual([])
    expect(ctx.meter.total('otelcol_exporter_queue_capacity')).toBe(0)
  })
})

describe('partial success', () => {
  it('settles with the refused items and counts them as failed', async () => {
    const { peer, consume, ctx } = rig()
    peer.answers = () => ({ ok: true, rejected: 4, message: 'too old' })
    const { events } = consume(10)
    await settled()
    expect(events).toEqual(['admitted', 'ok:4'])
    expect(ctx.meter.total('otelcol_exporter_sent_spans')).toBe(6)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(4)
    expect(said(ctx)).toEqual(['warn the peer refused 4 items of 1 batch for good: too old  (EXPORT_PARTIAL_SUCCESS)'])
  })
})

describe('what is counted', () => {
  it('tells failures apart as the Collector does at level detailed', async () => {
    const { peer, consume, ctx, exporter } = rig({}, { enabled: false })
    const answers = [
      REJECTED,
      { ...UNREACHABLE, grpcStatus: 14 },
      { ...UNREACHABLE, reason: 'timeout', grpcStatus: 4 },
      UNREACHABLE,
    ]
    peer.answers = (attempt) => answers[attempt - 1]!
    for (let i = 0; i < answers.length; i++) consume(10 ** i)
    await settled()
    peer.answers = undefined
    consume(10_000)
    await exporter.stop(deadlineIn(ctx.clock, 0))
    const failed = Object.entries(ctx.meter.series)
      .filter(([series]) => series.includes('send_failed'))
      .map(([series, items]) => [/error.permanent=\w+,error.type=\w+/.exec(series)?.[0], items])
    expect(failed).toEqual([
      ['error.permanent=false,error.type=DeadlineExceeded', 100],
      ['error.permanent=false,error.type=Shutdown', 10_000],
      ['error.permanent=false,error.type=Unavailable', 10],
      ['error.permanent=false,error.type=_OTHER', 1000],
      ['error.permanent=true,error.type=PermissionDenied', 1],
    ])
  })

  it('does not tell them apart below', async () => {
    const meter = new MemoryMeter()
    meter.enabled = () => false
    const ctx = testContext({ id: 'x', signals: ['traces'], meter })
    const peer = new FakePeer()
    peer.answers = () => REJECTED
    const exporter = queuedExporter({
      ctx,
      queue: queueConfig(),
      retry: retryConfig(),
      timeoutMs: 0,
      send: peer.send,
    })
    exporter.consume(track(opaqueBatch(3)).delivery)
    await settled()
    expect(meter.value('otelcol_exporter_send_failed_spans', { exporter: 'x', data_type: 'traces' })).toBe(3)
  })
})

describe('what people read', () => {
  it('is one line when the peer goes, a reminder a minute, and one when it is back', async () => {
    const { peer, consume, ctx } = rig({}, { max_elapsed_time: 0 })
    peer.answers = () => UNREACHABLE
    for (let i = 0; i < 20; i++) consume(1)
    await ctx.clock.advance(70_000)
    peer.answers = () => OK
    await ctx.clock.advance(30_000)
    const lines = said(ctx)
    expect(lines.length).toBe(3)
    expect(lines[0]).toBe('warn cannot reach 127.0.0.1:4317: ECONNREFUSED; 20 batches held  (EXPORT_UNREACHABLE)')
    // Ten consumers attempt at 0, 5, 12.5, 23.75, 40.625 and 65.9 s.
    expect(lines[1]).toBe(
      'warn cannot reach 127.0.0.1:4317: ECONNREFUSED (for 65.9 s, 51 attempts); 20 batches held  (EXPORT_UNREACHABLE)',
    )
    expect(lines[2]).toBe('info works again after 95.9 s and 60 failed attempts')
    expect(ctx.reports.map(({ status }) => status)).toEqual(['recoverable', 'ok'])
  })

  it('adds losses up and forgets none', async () => {
    const { peer, consume, ctx } = rig()
    peer.answers = () => REJECTED
    for (let i = 0; i < 5; i++) consume(2)
    await ctx.clock.advance(10_000)
    expect(said(ctx)).toEqual([
      'error 2 items in 1 batch are lost: the peer said: no such tenant  (EXPORT_LOST)',
      'error 8 items in 4 batches are lost, the last because of this: the peer said: no such tenant  (EXPORT_LOST)',
    ])
    await ctx.clock.advance(10_000)
    expect(ctx.clock.timers).toBe(0)
  })
})

describe('stop', () => {
  it('ends waits, drains the queue with one attempt a batch, and settles what fails as stopping', async () => {
    const { peer, consume, exporter, ctx } = rig({ num_consumers: 2 })
    peer.answers = () => UNREACHABLE
    const taken = [1, 2, 3, 4].map((items) => consume(items))
    await settled()
    expect(peer.attempts.length).toBe(2)
    peer.answers = (attempt) => (attempt === 4 ? OK : UNREACHABLE)
    await exporter.stop(deadlineIn(ctx.clock, 1000))
    expect(peer.attempts.length).toBe(6)
    expect(taken.map(({ events }) => events[1])).toEqual([
      'stopping:stopping',
      'ok',
      'stopping:stopping',
      'stopping:stopping',
    ])
  })

  it('settles at the deadline what hangs, once, whatever comes later', async () => {
    const { peer, consume, exporter, ctx } = rig({ num_consumers: 1 })
    const taken = [consume(1), consume(2)]
    const stopped = exporter.stop(deadlineIn(ctx.clock, 1000))
    await ctx.clock.advance(1000)
    await stopped
    expect(taken.map(({ events }) => events)).toEqual(Array(2).fill(['admitted', 'stopping:stopping']))
    peer.attempts[0]!.end(OK)
    await settled()
    expect(taken[0]!.events.length).toBe(2)
    expect(peer.attempts.length).toBe(1)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(3)
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(0)
    expect(ctx.clock.timers).toBe(0)
  })

  it('refuses what comes after, and is safe twice and with nothing held', async () => {
    const { exporter, consume, ctx } = rig()
    await exporter.stop(deadlineIn(ctx.clock, 0))
    await exporter.stop(deadlineIn(ctx.clock, 0))
    expect(consume(1).events).toEqual(['stopping:stopping'])
  })
})
