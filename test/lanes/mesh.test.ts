import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { ack, nack } from '../../src/component/delivery.ts'
import { Mesh } from '../../src/lanes/mesh.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { type Batch, makeBatch } from '../../src/otlp/batch.ts'
import { opaqueBatch, Sink, track } from '../support/deliveries.ts'
import { FakeClock } from '../support/fake-clock.ts'

// Both lanes are in this thread: their ports do not care. Real threads, and their deaths, are in mesh-threads.test.ts.

const ROOM = { batches: 100, bytes: 1 << 20 }

interface Pair {
  readonly giver: Mesh
  readonly taker: Mesh
  /** Behind the address `here` of the taker. */
  readonly sink: Sink
  /** Items that came into the taker's books. */
  readonly taken: number[]
  readonly clock: FakeClock
  readonly link: MessageChannel
}

function pair(): Pair {
  const clock = new FakeClock()
  const giver = new Mesh({ lane: 0, lanes: 2, clock })
  const taker = new Mesh({ lane: 1, lanes: 2, clock })
  const sink = new Sink()
  const taken: number[] = []
  taker.enter('here', { consumer: sink, taken: (_, items) => void taken.push(items) })
  const link = new MessageChannel()
  giver.connect(1, link.port1)
  taker.connect(0, link.port2)
  onTestFinished(() => {
    giver.close()
    taker.close()
  })
  return { giver, taker, sink, taken, clock, link }
}

/** A batch of one item whose bytes lie in the pool. */
function pooled(length: number, fill: number): Batch {
  const bytes = arenas.take(length)
  bytes.fill(fill)
  return makeBatch('traces', [bytes], 1, { arrivedAt: 7, peer: 'somebody:1' })
}

test('a delivery crosses with its bytes, items and context, and is settled as it is over there', async () => {
  const { giver, sink, taken } = pair()
  const given = track(
    makeBatch('logs', [Uint8Array.of(1, 2), Uint8Array.of(3)], 5, { arrivedAt: 3, transport: 'grpc' }),
  )
  expect(giver.hasRoom(1, ROOM)).toBe(true)
  giver.give(1, 'here', given.delivery, false)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  const { batch } = sink.last
  expect(batch.chunks.map((chunk) => [...chunk])).toEqual([[1, 2], [3]])
  expect([batch.signal, batch.items, batch.byteLength, batch.context]).toEqual([
    'logs',
    5,
    3,
    { arrivedAt: 3, transport: 'grpc' },
  ])
  expect(taken).toEqual([5])
  expect(giver.unsettled).toBe(1)
  sink.last.admit()
  sink.last.settle({ ok: true, rejected: 2, message: 'two were odd' })
  await expect.poll(() => given.outcome).toEqual({ ok: true, rejected: 2, message: 'two were odd' })
  expect(given.events).toEqual(['admitted', 'ok:2'])
  expect(giver.unsettled).toBe(0)
})

test('refusals and failures travel back as they are', async () => {
  const { giver, sink } = pair()
  const given = track(pooled(10, 1))
  giver.give(1, 'here', given.delivery, false)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  const failure = { verdict: 'retry', reason: 'queue_full', message: 'full', retryAfterMs: 20, grpcStatus: 8 } as const
  sink.last.refuse(failure)
  nack(sink.last, failure)
  await expect.poll(() => given.outcome).toEqual({ ok: false, failure })
  expect(given.refusal).toEqual(failure)
})

test("memory that nobody else holds goes along and comes back to the giver's pool", async () => {
  const { giver, sink } = pair()
  const batch = pooled(10_000, 42)
  const held = arenas.held
  const given = track(batch, Infinity, () => arenas.releaseAll(batch.chunks))
  giver.give(1, 'here', given.delivery, true)
  // Detached here: it is over there now.
  expect(batch.chunks[0]!.byteLength).toBe(0)
  expect(arenas.held).toBe(held - 1)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  const [chunk] = sink.last.batch.chunks
  expect(new Set(chunk)).toEqual(new Set([42]))
  const idle = arenas.idleBytes
  ack(sink.last)
  await expect.poll(() => given.outcome?.ok).toBe(true)
  expect(chunk!.byteLength).toBe(0)
  expect(arenas.held).toBe(held - 1)
  // The class of sizes that 10,000 bytes fall into.
  expect(arenas.idleBytes - idle).toBe(10_240)
})

test('memory that somebody else holds is copied, and so is all of a batch that is not the only reader', async () => {
  const { giver, sink } = pair()
  const shared = pooled(10_000, 1)
  arenas.retainAll(shared.chunks)
  giver.give(1, 'here', track(shared).delivery, true)
  const read = pooled(10_000, 2)
  giver.give(1, 'here', track(read).delivery, false)
  expect([shared.chunks[0]!.byteLength, read.chunks[0]!.byteLength]).toEqual([10_000, 10_000])
  await expect.poll(() => sink.deliveries.length).toBe(2)
  arenas.releaseAll([...shared.chunks, ...shared.chunks, ...read.chunks])
  expect(sink.deliveries.map(({ batch }) => [batch.byteLength, batch.chunks[0]![9_999]])).toEqual([
    [10_000, 1],
    [10_000, 2],
  ])
})

test('memory that the taker still sends from stays there until it has been sent', async () => {
  const { giver, sink } = pair()
  const batch = pooled(10_000, 9)
  const given = track(batch)
  giver.give(1, 'here', given.delivery, true)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  const { chunks } = sink.last.batch
  arenas.retainAll(chunks)
  ack(sink.last)
  await expect.poll(() => given.outcome?.ok).toBe(true)
  expect(new Set(chunks[0])).toEqual(new Set([9]))
  arenas.releaseAll(chunks)
})

test('a client that gives up is heard of over there, and its deadline is known', async () => {
  const { giver, sink, clock } = pair()
  await clock.advance(1000)
  const given = track(pooled(10, 1), 1500)
  giver.give(1, 'here', given.delivery, false)
  const settledBefore = track(pooled(10, 1))
  settledBefore.delivery.admit()
  giver.give(1, 'here', settledBefore.delivery, false)
  await expect.poll(() => sink.deliveries.length).toBe(2)
  const [first, second] = sink.deliveries
  expect([first!.awaited, first!.abandoned, first!.deadline]).toEqual([true, false, 1500])
  expect([second!.awaited, second!.deadline]).toEqual([false, Infinity])
  let told = 0
  first!.onAbandoned(() => told++)
  given.leave()
  await expect.poll(() => first!.abandoned).toBe(true)
  expect([told, first!.awaited]).toEqual([1, false])
  first!.onAbandoned(() => told++)
  expect(told).toBe(2)
})

test('no more is given than may wait over there', async () => {
  const { giver, sink } = pair()
  const bounds = { batches: 2, bytes: 1000 }
  const give = (length: number): boolean => {
    const room = giver.hasRoom(1, bounds)
    if (room) giver.give(1, 'here', track(pooled(length, 1)).delivery, false)
    return room
  }
  // One more than the bound each time: it is looked at before.
  expect([give(1), give(1), give(1), give(1)]).toEqual([true, true, true, false])
  await expect.poll(() => sink.deliveries.length).toBe(3)
  // What was begun with waits no more, settled or not.
  expect([give(900), give(200), give(1)]).toEqual([true, true, false])
  await expect.poll(() => sink.deliveries.length).toBe(5)
  expect(give(1)).toBe(true)
})

test('when the other lane ends its deliveries are settled at once, and whoever gave them knows which it had begun with', async () => {
  const { giver, taker, sink } = pair()
  const books: string[] = []
  const crossed = {
    leaves: (items: number) => void books.push(`${items} leave`),
    lost: (items: number) => void books.push(`${items} lost`),
  }
  const begun = track(opaqueBatch(3))
  giver.give(1, 'here', begun.delivery, false, crossed)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  const waiting = track(opaqueBatch(4))
  giver.give(1, 'here', waiting.delivery, false, crossed)
  taker.close()
  await expect.poll(() => waiting.events).toEqual(['retry:lane_lost'])
  expect(begun.events).toEqual(['retry:lane_lost'])
  expect(books).toEqual(['3 leave', '4 leave', '4 lost'])
  expect([giver.unsettled, giver.runs(1), taker.runs(0)]).toEqual([0, false, false])
  expect(giver.hasRoom(1, ROOM)).toBe(false)
  expect(() => giver.give(1, 'here', track(pooled(10, 1)).delivery, false)).toThrow('does not run')
})

test('whoever waits for an answer through a lane that ends waits no more', async () => {
  const { giver, sink } = pair()
  giver.give(1, 'here', track(pooled(10, 1)).delivery, false)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  giver.close()
  await expect.poll(() => sink.last.abandoned).toBe(true)
  ack(sink.last)
})

test('answers that were on their way when the other lane ended count', async () => {
  const { giver, taker, sink } = pair()
  const given = track(pooled(10, 1))
  giver.give(1, 'here', given.delivery, false)
  await expect.poll(() => sink.deliveries.length).toBe(1)
  ack(sink.last)
  taker.close()
  // Told by somebody who is quicker than the port.
  giver.disconnect(1)
  expect(given.events).toEqual(['ok'])
})

test('a lane that comes back is reached by its new way', async () => {
  const { giver, taker, sink } = pair()
  const before = track(pooled(10, 1))
  giver.give(1, 'here', before.delivery, false)
  const again = new MessageChannel()
  giver.connect(1, again.port1)
  expect(before.events).toEqual(['retry:lane_lost'])
  taker.connect(0, again.port2)
  const after = track(pooled(10, 1))
  giver.give(1, 'here', after.delivery, false)
  // The first came over before the way ended, and is known to have been lost with it.
  await expect.poll(() => sink.deliveries.length).toBe(2)
  expect(sink.deliveries[0]!.abandoned).toBe(true)
  ack(sink.last)
  await expect.poll(() => after.events).toEqual(['ok'])
})

test('a lane that leaves gets nothing more, and settles what it has', async () => {
  const { giver, sink } = pair()
  const given = track(pooled(10, 1))
  giver.give(1, 'here', given.delivery, false)
  giver.leaves(1)
  expect([giver.runs(1), giver.hasRoom(1, ROOM)]).toEqual([false, false])
  await expect.poll(() => sink.deliveries.length).toBe(1)
  ack(sink.last)
  await expect.poll(() => given.events).toEqual(['ok'])
})

test('what has no address over there comes back as lost, not taken', async () => {
  const { giver } = pair()
  const lost: number[] = []
  const given = track(opaqueBatch(7))
  giver.give(1, 'nowhere', given.delivery, false, { leaves() {}, lost: (items) => void lost.push(items) })
  await expect.poll(() => given.events).toEqual(['retry:lane_lost'])
  expect(lost).toEqual([7])
})

test('plain bytes are told to the namesake', async () => {
  const { giver, taker } = pair()
  const heard: [number, number[]][] = []
  taker.listen('here', (bytes, from) => void heard.push([from, [...bytes]]))
  expect(giver.tell(1, 'here', Uint8Array.of(1, 2, 3))).toBe(true)
  giver.tell(1, 'elsewhere', Uint8Array.of(4))
  await expect.poll(() => heard).toEqual([[0, [1, 2, 3]]])
})

test('the lowest lane that runs is the first', async () => {
  const { giver, taker, link } = pair()
  expect([giver.first, taker.first]).toEqual([true, false])
  const closed = once(link.port2, 'close')
  giver.close()
  await closed
  expect(taker.first).toBe(true)
})
