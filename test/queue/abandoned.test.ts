// A sender that gives up before it was told anything gets no further attempt; an attempt under way finishes.
import { describe, expect, it } from 'vitest'
import { deadlineIn } from '../support/context.ts'
import { opaqueBatch } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, rig, spansOf, traces, UNREACHABLE } from './support.ts'

describe.each([
  ['without a queue', { enabled: false }],
  ['under wait_for_result', { wait_for_result: true }],
])('%s', (_, queue) => {
  it('an attempt under way finishes, and what it says counts', async () => {
    const { give, peer } = rig(queue)
    const { events, leave } = give(opaqueBatch(1))
    leave()
    expect(events).toEqual([])
    peer.attempts[0]!.end(OK)
    await settled()
    expect(events).toEqual(['ok'])
  })

  it('it is the last one', async () => {
    const { give, peer, ctx } = rig(queue)
    const { events, leave } = give(opaqueBatch(4))
    leave()
    peer.attempts[0]!.end(UNREACHABLE)
    await settled()
    expect(events).toEqual(['retry:client_gone'])
    expect(ctx.clock.timers).toBe(0)
    expect(ctx.meter.total('otelcol_exporter_send_failed_spans')).toBe(4)
    // Nobody was told that the data is safe.
    expect(ctx.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('a wait for the next attempt ends at once', async () => {
    const { give, peer, ctx } = rig(queue)
    peer.answers = () => UNREACHABLE
    const tracked = give(opaqueBatch(1))
    await ctx.clock.advance(6000)
    expect([tracked.events, peer.attempts.length]).toEqual([[], 2])
    tracked.leave()
    expect(tracked.events).toEqual(['retry:client_gone'])
    expect(tracked.outcome).toMatchObject({
      failure: {
        // DEADLINE_EXCEEDED, should the answer reach the client before its own clock says so.
        grpcStatus: 4,
        message:
          'exporter otlp/eu: the sender gave up after 2 attempts, last error: cannot reach 127.0.0.1:4317: ECONNREFUSED',
      },
    })
    await ctx.clock.advance(60_000)
    expect([peer.attempts.length, ctx.clock.timers]).toEqual([2, 0])
  })

  it('no wait begins that the sender does not outlast', async () => {
    const { give, peer, ctx } = rig(queue)
    peer.answers = () => UNREACHABLE
    const patient = give(opaqueBatch(1), 5000)
    const hurried = give(opaqueBatch(1), 4999)
    await settled()
    expect([patient.events, hurried.events]).toEqual([[], ['retry:retries_exhausted']])
    expect(hurried.outcome).toMatchObject({
      failure: {
        message:
          'exporter otlp/eu: the sender does not wait for the next attempt in 5 s, last error: cannot reach 127.0.0.1:4317: ECONNREFUSED',
      },
    })
    await ctx.clock.advance(5000)
    expect(patient.events).toEqual(['retry:retries_exhausted'])
  })

  it('of the parts of a large one, those under way finish and the others end', async () => {
    const { give, peer } = rig({ num_consumers: 1, ...queue }, {}, { maxRequestBytes: 150 })
    const { events, leave } = give(traces(spansOf(100, 100, 100)))
    const began = peer.attempts.length
    expect(began).toBe('enabled' in queue ? 3 : 1)
    leave()
    for (const { end } of peer.attempts) end(OK)
    await settled()
    expect(peer.attempts.length).toBe(began)
    expect(events).toEqual(began === 3 ? ['ok'] : ['retry:client_gone'])
  })
})

describe('in the line under wait_for_result', () => {
  it('a sender that gives up makes room at once', async () => {
    const { give, peer, ctx } = rig({ wait_for_result: true, num_consumers: 1, queue_size: 2 })
    give(opaqueBatch(1))
    const waits = give(opaqueBatch(2))
    expect(give(opaqueBatch(3)).events).toEqual(['retry:queue_full'])
    waits.leave()
    expect(waits.events).toEqual(['retry:client_gone'])
    const next = give(opaqueBatch(4))
    peer.attempts[0]!.end(OK)
    await settled()
    expect(peer.attempts.map(({ batch }) => batch.items)).toEqual([1, 4])
    expect(ctx.meter.total('otelcol_exporter_queue_size')).toBe(1)
    expect(next.events).toEqual([])
  })
})

it('a stop that is near gives a sender that waits for the next attempt one at once, and then an answer', async () => {
  const { give, peer, exporter, ctx } = rig({ enabled: false })
  peer.answers = () => UNREACHABLE
  const { events } = give(opaqueBatch(1))
  await settled()
  exporter.stopping()
  await settled()
  expect([peer.attempts.length, events, ctx.clock.timers]).toEqual([2, ['stopping:stopping'], 0])
  // It is not the stop yet: what comes is sent.
  peer.answers = () => OK
  const late = give(opaqueBatch(1))
  await settled()
  expect(late.events).toEqual(['ok'])
})

it('changes nothing for what a queue has taken', async () => {
  const { give, peer, ctx } = rig()
  peer.answers = (attempt) => (attempt === 1 ? UNREACHABLE : OK)
  const { events, leave } = give(opaqueBatch(1), 10)
  leave()
  await ctx.clock.advance(5000)
  expect(events).toEqual(['admitted', 'ok'])
})

it('changes nothing for what a stop has settled', async () => {
  const { give, exporter, ctx } = rig({ wait_for_result: true })
  const { events, leave } = give(opaqueBatch(1))
  await exporter.stop(deadlineIn(ctx.clock, 0))
  leave()
  expect(events).toEqual(['stopping:stopping'])
})
