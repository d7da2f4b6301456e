// What a queue says before it has seen a batch is what it then does. What this does not show: who asks (the faults do).
import { expect, it } from 'vitest'
import type { Arriving } from '../../src/component/back-pressure.ts'
import { deadlineIn } from '../support/context.ts'
import { opaqueBatch } from '../support/deliveries.ts'
import { settled } from '../support/fake-clock.ts'
import { OK, REJECTED, rig, UNREACHABLE } from './support.ts'

// An opaque batch has 6 bytes.
function arriving(bytes: number, ahead = 0, aheadBytes = 0): Arriving {
  return { signal: 'traces', bytes, ahead, aheadBytes }
}

it('by bytes: what is there, what is on its way and what asks', () => {
  const { exporter, give } = rig({ queue_size_bytes: 20 })
  give(opaqueBatch(1))
  const says = (...one: Parameters<typeof arriving>) => exporter.refusing!(arriving(...one))?.failure.reason
  expect([says(14), says(15), says(4, 1, 10), says(5, 1, 10)]).toEqual([
    undefined,
    'queue_full',
    undefined,
    'queue_full',
  ])
  // Of unknown length: one byte at least.
  expect([says(0, 1, 13), says(0, 1, 14)]).toEqual([undefined, 'queue_full'])
})

it('not what would not even fit an empty queue: the batch itself hears that, for good', () => {
  const { exporter, give } = rig({ queue_size: 2, queue_size_bytes: 5 })
  // As long as bodies were until now, or as this one says.
  expect(exporter.refusing!(arriving(6))).toBe(undefined)
  expect(give(opaqueBatch(1)).outcome).toMatchObject({ failure: { verdict: 'reject', reason: 'larger_than_queue' } })
  expect(exporter.refusing!(arriving(6))).toBe(undefined)
  expect(exporter.refusing!(arriving(6, 2))?.failure.reason).toBe('queue_full')
})

it('in the words that the batch itself would hear', () => {
  const { exporter, give } = rig({ queue_size: 2 })
  expect(exporter.refusing!(arriving(0))).toBe(undefined)
  give(opaqueBatch(1))
  give(opaqueBatch(1))
  const refused = give(opaqueBatch(1))
  const refusing = exporter.refusing!(arriving(6))!
  expect(refused.outcome).toEqual({ ok: false, failure: refusing.failure })
  expect(refusing.failure).toMatchObject({ verdict: 'retry', reason: 'queue_full', retryAfterMs: 1000 })
})

it('by items: as many as a batch usually has', () => {
  const { exporter, give } = rig({ sizer: 'items', queue_size: 100 })
  const says = (ahead: number) => exporter.refusing!(arriving(6, ahead))?.failure.reason
  // Nothing is known yet.
  expect([says(99), says(100)]).toEqual([undefined, 'queue_full'])
  give(opaqueBatch(20))
  // 20 held, 60 on their way, 20 that ask.
  expect([says(3), says(4)]).toEqual([undefined, 'queue_full'])
})

it('never where senders wait for room, or where there is no queue; at a stop, that it stops', async () => {
  expect(rig({ block_on_overflow: true }).exporter.refusing).toBe(undefined)
  expect(rig({ enabled: false }).exporter.refusing).toBe(undefined)
  const { exporter, ctx } = rig()
  await exporter.stop(deadlineIn(ctx.clock, 0))
  expect(exporter.refusing!(arriving(1))).toMatchObject({ failure: { verdict: 'stopping' }, stalled: false })
})

it('knows whether room is being made: while the peer takes data or refuses it for good', async () => {
  const { exporter, give, peer, ctx } = rig({ queue_size: 3 })
  const stalled = () => exporter.refusing!(arriving(1))?.stalled
  const end = async (result: Parameters<(typeof peer.attempts)[number]['end']>[0]): Promise<void> => {
    peer.attempts.at(-1)!.end(result)
    await settled()
    give(opaqueBatch(1))
  }
  for (let i = 0; i < 3; i++) give(opaqueBatch(1))
  expect(stalled()).toBe(true)
  await end(OK)
  expect(stalled()).toBe(false)
  await end(UNREACHABLE)
  expect(stalled()).toBe(true)
  give(opaqueBatch(1))
  peer.attempts[0]!.end(REJECTED)
  await settled()
  give(opaqueBatch(1))
  expect(stalled()).toBe(false)
  await ctx.clock.advance(5000)
  expect(stalled()).toBe(true)
})

it('says in its log how many were turned away unread', async () => {
  const { exporter, give, ctx, said } = rig({ queue_size: 1 })
  give(opaqueBatch(1))
  for (let i = 0; i < 3; i++) exporter.refusing!(arriving(1))!.told()
  // Asked, but let in for another's sake.
  exporter.refusing!(arriving(1))
  give(opaqueBatch(7))
  await ctx.clock.advance(60_000)
  const full =
    'the queue is full (1 of 1 requests, 1 in flight); see why the peer is slow, or raise sending_queue.queue_size'
  expect(said()).toEqual([
    `warn ${full}; told the senders of 1 batch (unread) to come again  (EXPORT_QUEUE_FULL)`,
    `warn ${full}; told the senders of 3 batches (7 items in those that were read) to come again  (EXPORT_QUEUE_FULL)`,
  ])
})
