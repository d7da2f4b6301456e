// Any order of arrivals, outcomes and deaths, in lanes that are joined as threads are but run in this one. Real threads: keyed-threads.test.ts.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nack } from '../../src/component/delivery.ts'
import { keyed } from '../../src/component/keyed.ts'
import { laneRing } from '../../src/component/ring.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { hashBytes } from '../../src/otlp/hash.ts'
import { traceKey } from '../../src/otlp/record-key.ts'
import { total } from '../../src/telemetry/ledger.ts'
import { Sink, track } from '../support/deliveries.ts'
import { type Mark, markedBatch, marksOf } from './support/marked-spans.ts'
import { meshLanes } from './support/mesh-lanes.ts'

const TRACES = 8

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('bring' as const),
        lane: fc.nat(),
        traces: fc.array(fc.nat(TRACES - 1), { minLength: 1, maxLength: 6 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('settle' as const), lane: fc.nat(), which: fc.nat(), ok: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), lane: fc.nat() }) },
  ),
  { minLength: 5, maxLength: 40 },
)

function ownerOf(trace: number, lanes: number): number {
  const id = Buffer.alloc(16, 1)
  id.writeUInt32BE(trace, 12)
  return laneRing(lanes).ownerOf(hashBytes(id, 0, 16))
}

test.each([2, 4])(
  'over %d lanes a key is in one of them, in order, and every delivery ends once',
  async (count) => {
    const owners = Array.from({ length: TRACES }, (_, trace) => ownerOf(trace, count))
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const held = arenas.held
        const lanes = meshLanes(count, 'traces')
        const sinks = lanes.contexts.map(() => new Sink())
        const heads = lanes.contexts.map((ctx, lane) => keyed('traces', traceKey('traces'), ctx, sinks[lane]!))
        const open = sinks.map(() => new Set<number>())
        const brought: { readonly lane: number; readonly events: readonly string[] }[] = []
        const gone = new Set<number>()
        let number = 0
        const note = (): void => {
          for (const [lane, { deliveries }] of sinks.entries()) {
            for (let i = settledUpTo[lane]!; i < deliveries.length; i++) open[lane]!.add(i)
            settledUpTo[lane] = deliveries.length
          }
        }
        const settledUpTo = sinks.map(() => 0)
        const settle = (lane: number, index: number, ok: boolean): void => {
          open[lane]!.delete(index)
          const delivery = sinks[lane]!.deliveries[index]!
          if (ok) lanes.ledgers[lane]!.sent(delivery.batch.items)
          else lanes.ledgers[lane]!.failed('unreachable', delivery.batch.items)
          if (ok) delivery.settle({ ok: true, rejected: 0 })
          else nack(delivery, { verdict: 'retry', reason: 'unreachable', message: 'for a test' })
        }
        const got: { readonly lane: number; readonly mark: Mark }[] = []
        for (const [lane, sink] of sinks.entries()) {
          const consume = sink.consume.bind(sink)
          sink.consume = (delivery) => {
            for (const mark of marksOf(delivery.batch)) got.push({ lane, mark })
            consume(delivery)
          }
        }
        for (const step of script) {
          note()
          if (step.do === 'wait') await lanes.quiet()
          else {
            const lane = step.lane % count
            if (gone.has(lane)) continue
            if (step.do === 'bring') {
              const batch = markedBatch(step.traces.map((trace) => ({ trace, lane, number: number++ })))
              lanes.ledgers[lane]!.accepted(batch.items)
              const { delivery, events } = track(batch, Infinity, () => arenas.releaseAll(batch.chunks))
              brought.push({ lane, events })
              heads[lane]!.consume(delivery)
            } else if (step.do === 'settle') {
              const waiting = [...open[lane]!]
              if (waiting.length > 0) settle(lane, waiting[step.which % waiting.length]!, step.ok)
            } else if (gone.size < count - 1) {
              gone.add(lane)
              lanes.lose(lane)
            }
          }
        }
        await lanes.quiet()
        note()
        for (const [lane, waiting] of open.entries())
          if (!gone.has(lane)) for (const index of waiting) settle(lane, index, true)
        await lanes.quiet()

        const latest = new Map<string, number>()
        for (const { lane, mark } of got) {
          expect(lane).toBe(owners[mark.trace])
          const order = `${mark.lane}: ${mark.trace}`
          expect(mark.number).toBeGreaterThan(latest.get(order) ?? -1)
          latest.set(order, mark.number)
        }
        for (const { lane, events } of brought) if (!gone.has(lane)) expect(events.length).toBe(1)
        lanes.end()
        const books = brought.length === 0 ? undefined : lanes.books()
        if (books !== undefined) expect([books.held, books.sent + total(books.failed)]).toEqual([0, books.accepted])
        // What a lost lane had is lost to the pool too: in a thread of its own the memory goes with it.
        if (gone.size === 0) expect(arenas.held).toBe(held)
        for (const mesh of lanes.meshes) mesh.close()
      }),
      { numRuns: 25 },
    )
  },
  60_000,
)
