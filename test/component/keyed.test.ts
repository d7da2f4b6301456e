import { beforeEach, expect, test } from 'vitest'
import { ack, type Consumer, type Delivery, nack } from '../../src/component/delivery.ts'
import { keyed } from '../../src/component/keyed.ts'
import type { Namesakes } from '../../src/component/namesakes.ts'
import { laneRing } from '../../src/component/ring.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'
import { hashBytes } from '../../src/otlp/hash.ts'
import { traceKey } from '../../src/otlp/record-key.ts'
import { type Mark, markedBatch, marksOf } from '../lanes/support/marked-spans.ts'
import { testContext } from '../support/context.ts'
import { Sink, track } from '../support/deliveries.ts'

const LANES = 3
const HERE = 1
const ring = laneRing(LANES)

/** Lane of a trace. */
function ownerOf(trace: number): number {
  const id = Buffer.alloc(16, 1)
  id.writeUInt32BE(trace, 12)
  return ring.ownerOf(hashBytes(id, 0, 16))
}

/** The first traces that a lane owns. */
function tracesOf(lane: number): [number, number] {
  const found: number[] = []
  for (let trace = 0; found.length < 2; trace++) if (ownerOf(trace) === lane) found.push(trace)
  return found as [number, number]
}

interface Given {
  readonly lane: number
  readonly delivery: Delivery
  readonly sole: boolean | undefined
}

function setUp() {
  const given: Given[] = []
  const full = new Set<number>()
  let received: Consumer | undefined
  const namesakes: Namesakes = {
    first: false,
    receive(consumer) {
      received = consumer
    },
    give(lane, delivery, sole) {
      if (full.has(lane)) return false
      given.push({ lane, delivery, sole })
      return true
    },
    hear() {},
    tell: () => false,
  }
  const ctx = testContext({ lane: { index: HERE, count: LANES }, namesakes })
  const sink = new Sink()
  return { ctx, given, full, sink, consumer: keyed('traces', traceKey('traces'), ctx, sink), received: () => received }
}

let number = 0
const span = (trace: number): Mark => ({ trace, lane: HERE, number: number++ })

let held = 0
beforeEach(() => {
  held = arenas.held
})

test('each lane gets the spans of its traces, in their order', () => {
  const { consumer, given, sink, received } = setUp()
  const [here, alsoHere] = tracesOf(HERE)
  const [there] = tracesOf(0)
  const [elsewhere] = tracesOf(2)
  const marks = [here, there, alsoHere, elsewhere, there, here].map(span)
  const batch = markedBatch(marks)
  const { delivery, events } = track(batch, Infinity, () => arenas.releaseAll(batch.chunks))
  consumer.consume(delivery)
  const of = (...traces: number[]) => marks.filter(({ trace }) => traces.includes(trace))
  expect(marksOf(sink.last.batch)).toEqual(of(here, alsoHere))
  expect(given.map(({ lane, delivery: { batch } }) => [lane, batch.items, marksOf(batch)])).toEqual([
    [0, 2, of(there)],
    [2, 1, of(elsewhere)],
  ])
  // Written for the part alone: its memory may go along.
  expect(given.map(({ sole }) => sole)).toEqual([true, true])
  expect(received()).toBe(sink)

  ack(sink.last)
  nack(given[0]!.delivery, { verdict: 'retry', reason: 'lane_lost', message: 'gone' })
  expect(events).toEqual([])
  ack(given[1]!.delivery)
  expect(events).toEqual(['retry:lane_lost'])
  expect(arenas.held).toBe(held)
})

test('a batch that one lane owns goes there as it is', () => {
  const { consumer, given, sink } = setUp()
  const here = track(markedBatch(tracesOf(HERE).map(span)))
  consumer.consume(here.delivery)
  expect(sink.deliveries).toEqual([here.delivery])
  const there = track(markedBatch(tracesOf(2).map(span)))
  consumer.consume(there.delivery)
  // Others may read those bytes.
  expect(given).toEqual([{ lane: 2, delivery: there.delivery, sole: false }])
})

test('chunks of a joined batch go to where their spans belong', () => {
  const { consumer, given, sink } = setUp()
  const [here] = tracesOf(HERE)
  const [there] = tracesOf(0)
  const marks = [[here], [there, here], [there]].map((traces) => traces.map(span))
  const chunks = marks.flatMap((each) => markedBatch(each).chunks)
  const { delivery } = track(makeBatch('traces', chunks, 4, { arrivedAt: 1 }))
  consumer.consume(delivery)
  const all = marks.flat()
  expect(marksOf(sink.last.batch)).toEqual(all.filter(({ trace }) => trace === here))
  expect(marksOf(given[0]!.delivery.batch)).toEqual(all.filter(({ trace }) => trace === there))
  expect([sink.last.batch.chunks[0], given[0]!.delivery.batch.chunks[1]]).toEqual([chunks[0], chunks[2]])
})

test('what a lane has no room for is refused, and booked; the rest goes on', () => {
  const { ctx, consumer, full, given, sink } = setUp()
  full.add(0)
  const batch = markedBatch([...tracesOf(0), ...tracesOf(2), ...tracesOf(HERE)].map(span))
  const { delivery, events } = track(batch, Infinity, () => arenas.releaseAll(batch.chunks))
  consumer.consume(delivery)
  expect(Object.fromEntries(ctx.booked)).toEqual({ 'failed/traces/lane_busy': 2 })
  expect([given.length, sink.last.batch.items]).toEqual([1, 2])
  ack(given[0]!.delivery)
  ack(sink.last)
  expect(events).toEqual(['retry:lane_busy'])
  expect(arenas.held).toBe(held)
})

test('a malformed batch is refused whole', () => {
  const { ctx, consumer, given, sink } = setUp()
  const whole = markedBatch([...tracesOf(0), ...tracesOf(HERE)].map(span))
  const broken = Buffer.from(whole.chunks[0]!.subarray(0, -1))
  arenas.releaseAll(whole.chunks)
  const good = markedBatch([...tracesOf(0), ...tracesOf(HERE)].map(span))
  const chunks = [...good.chunks, broken]
  const { delivery, events } = track(makeBatch('traces', chunks, 8, { arrivedAt: 1 }), Infinity, () =>
    arenas.releaseAll(good.chunks),
  )
  consumer.consume(delivery)
  expect(events).toEqual(['reject:malformed'])
  expect([given.length, sink.deliveries.length]).toEqual([0, 0])
  expect(Object.fromEntries(ctx.booked)).toEqual({ 'failed/traces/malformed': 8 })
  expect(arenas.held).toBe(held)
})

test('in the only lane nothing is taken apart', () => {
  const sink = new Sink()
  expect(keyed('traces', traceKey('traces'), testContext(), sink)).toBe(sink)
})
