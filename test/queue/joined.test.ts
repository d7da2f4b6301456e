// `sending_queue.batch`: what is queued is joined, and split, without a byte copied where none must be.
import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../src/otlp/batch.ts'
import type { QueueBatchConfig, QueueConfig } from '../../src/queue/fields.ts'
import { deadlineIn } from '../support/context.ts'
import { opaqueBatch } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, rig as plainRig, REJECTED, spansOf, traces } from './support.ts'

function batchConfig(overrides: Partial<QueueBatchConfig> = {}): QueueBatchConfig {
  return {
    enabled: true,
    flush_timeout: 200,
    min_size: 10,
    max_size: 0,
    sizer: undefined,
    partition: { metadata_keys: [] },
    ...overrides,
  }
}

const rig = (batch: Partial<QueueBatchConfig> = {}, queue: Partial<QueueConfig> = {}) =>
  plainRig({ ...queue, batch: batchConfig(batch) })

it('sends at min_size, in one request of the very bytes that came, and answers as the queue does', async () => {
  const { give, peer, ctx } = rig()
  const batches = [opaqueBatch(4), opaqueBatch(5), opaqueBatch(1), opaqueBatch(2)]
  const taken = batches.map((batch) => give(batch))
  expect(taken.map(({ events }) => events)).toEqual(Array(4).fill(['admitted']))
  expect(peer.attempts.map(({ batch }) => [batch.items, batch.chunks])).toEqual([
    [10, [batches[0]!.chunks[0], batches[1]!.chunks[0], batches[2]!.chunks[0]]],
  ])
  expect(peer.attempts[0]!.batch.chunks[0]).toBe(batches[0]!.chunks[0])
  // Everything counts as held until it is settled, as what waits to be joined does.
  expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(4)
  peer.attempts[0]!.end(OK)
  await settled()
  expect(taken.map(({ events }) => events[1])).toEqual(['ok', 'ok', 'ok', undefined])
  expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(1)
  expect(
    ctx.meter.recorded('otelcol_exporter_queue_batch_send_size', { exporter: 'otlp/eu', data_type: 'traces' }),
  ).toEqual([10])
})

it('sends what is there flush_timeout after the first of it, and leaves no timer', async () => {
  const { give, peer, ctx } = rig()
  give(opaqueBatch(1))
  await ctx.clock.advance(150)
  give(opaqueBatch(2))
  await ctx.clock.advance(49)
  expect(peer.attempts).toEqual([])
  await ctx.clock.advance(1)
  expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([3])
  expect(ctx.clock.timers).toBe(0)
})

it('settles all of a joined request as the peer says; a partial success stays with the request', async () => {
  const { give, peer } = rig()
  const taken = [give(opaqueBatch(4)), give(opaqueBatch(6)), give(opaqueBatch(10))]
  peer.attempts[0]!.end({ ok: true, rejected: 3, message: 'too old' })
  peer.attempts[1]!.end(REJECTED)
  await settled()
  expect(taken.map(({ events }) => events[1])).toEqual(['ok', 'ok', 'reject:rejected'])
})

describe('max_size', () => {
  it('a batch that cannot be read is sent alone, and costs nobody room', async () => {
    const { give, peer, ctx } = rig({ max_size: 12 })
    const neighbour = give(opaqueBatch(9))
    // A length that goes past the end.
    const broken = give(makeBatch('traces', [Uint8Array.of(0x0a, 0x7f, 0x01)], 13, { arrivedAt: 0 }))
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([13])
    peer.attempts[0]!.end(REJECTED)
    await ctx.clock.advance(200)
    peer.attempts[1]!.end(OK)
    await settled()
    expect([broken.events, neighbour.events]).toEqual([
      ['admitted', 'reject:rejected'],
      ['admitted', 'ok'],
    ])
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(0)
  })

  it('in items: none is larger, and the rest of one goes with the next', () => {
    const { give, peer } = rig({ max_size: 12 })
    give(traces(spansOf(...Array<number>(25).fill(10))))
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([12, 12])
    give(traces(spansOf(...Array<number>(9).fill(10))))
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([12, 12, 10])
  })

  it('sends less than min_size rather than more than max_size', () => {
    const { give, peer } = rig({ max_size: 12 })
    give(opaqueBatch(9))
    give(opaqueBatch(8))
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([9])
  })

  it('in bytes', () => {
    const { give, peer } = rig({ sizer: 'bytes', min_size: 250, max_size: 250 })
    give(traces(spansOf(100, 100, 100), spansOf(100), spansOf(100)))
    expect(peer.attempts.map(({ batch }) => [batch.items, batch.byteLength <= 250])).toEqual([
      [2, true],
      [2, true],
    ])
  })

  it('settles a split one as its parts ended: what was refused for good counts as rejected', async () => {
    const { give, peer } = rig({ max_size: 10 })
    const split = give(traces(spansOf(...Array<number>(15).fill(10))))
    const other = give(opaqueBatch(5))
    peer.attempts[0]!.end(OK)
    peer.attempts[1]!.end(REJECTED)
    await settled()
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([10, 10])
    expect([split.events[1], other.events[1]]).toEqual(['ok:5', 'reject:rejected'])
  })
})

describe('sizer', () => {
  it('is what the queue counts, unless that is requests', () => {
    const bytes = rig({ min_size: 12 }, { sizer: 'bytes' })
    bytes.give(opaqueBatch(1000))
    expect(bytes.peer.attempts.length).toBe(0)
    // An opaque batch has 6 bytes.
    bytes.give(opaqueBatch(1000))
    expect(bytes.peer.attempts.length).toBe(1)
    const items = rig({ min_size: 12 }, { sizer: 'requests' })
    items.give(opaqueBatch(12))
    expect(items.peer.attempts.length).toBe(1)
  })
})

describe('partition.metadata_keys', () => {
  it('joins only what has the same values, and hands those on, nothing else', async () => {
    const { give, peer, ctx } = rig({ partition: { metadata_keys: ['X-Tenant'] } })
    const from = (tenant: string | undefined, user: string) =>
      give(opaqueBatch(1, 'traces', { metadata: { ...(tenant && { 'x-tenant': [tenant] }), user: [user] } }))
    from('a', 'u1')
    from('b', 'u2')
    from('a', 'u3')
    from(undefined, 'u4')
    from('b', 'u5')
    from(undefined, 'u6')
    await ctx.clock.advance(200)
    expect(peer.attempts.map(({ batch }) => [batch.items, batch.context.metadata])).toEqual([
      [2, { 'x-tenant': ['a'] }],
      [2, { 'x-tenant': ['b'] }],
      [2, {}],
    ])
    expect(ctx.clock.timers).toBe(0)
  })

  it('flushes each combination at its own time', async () => {
    const { give, peer, ctx } = rig({ partition: { metadata_keys: ['t'] } })
    const from = (tenant: string, items: number) => give(opaqueBatch(items, 'traces', { metadata: { t: [tenant] } }))
    from('a', 1)
    await ctx.clock.advance(100)
    from('b', 2)
    // The older one leaves by its size; the timer finds nothing due and is set for the younger.
    from('a', 9)
    await ctx.clock.advance(100)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([10])
    await ctx.clock.advance(99)
    expect(peer.attempts.length).toBe(1)
    await ctx.clock.advance(1)
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([10, 2])
  })
})

it('never joins profiles', () => {
  const { give, peer } = rig()
  give(opaqueBatch(1, 'profiles'))
  give(opaqueBatch(2, 'profiles'))
  expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 2])
})

describe('under wait_for_result', () => {
  it('senders wait for the request that their data goes in', async () => {
    const { give, peer } = rig({}, { wait_for_result: true })
    const taken = [give(opaqueBatch(4)), give(opaqueBatch(6))]
    expect(taken.map(({ events }) => events)).toEqual([[], []])
    peer.attempts[0]!.end(OK)
    await settled()
    expect(taken.map(({ events }) => events)).toEqual([['ok'], ['ok']])
  })

  it('what nobody waits for any more is left out', async () => {
    const { give, peer, ctx } = rig({}, { wait_for_result: true })
    const gone = give(opaqueBatch(4))
    const waits = give(opaqueBatch(3))
    gone.leave()
    await ctx.clock.advance(200)
    expect(gone.events).toEqual(['retry:client_gone'])
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([3])
    expect(waits.events).toEqual([])
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(1)
  })
})

it('is off with enabled: false', () => {
  const { give, peer } = rig({ enabled: false })
  give(opaqueBatch(1))
  expect(peer.attempts.length).toBe(1)
})

it('at a stop sends what waits to be joined, within the deadline', async () => {
  const { give, peer, exporter, ctx } = rig()
  const { events } = give(opaqueBatch(3))
  const stopped = exporter.stop(deadlineIn(ctx.clock, 1000))
  expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([3])
  peer.attempts[0]!.end(OK)
  await stopped
  expect(events).toEqual(['admitted', 'ok'])
  const late = rig()
  const left = late.give(opaqueBatch(3))
  await late.exporter.stop(deadlineIn(late.ctx.clock, 0))
  expect(left.events).toEqual(['admitted', 'stopping:stopping'])
  expect(late.ctx.clock.timers).toBe(0)
})
