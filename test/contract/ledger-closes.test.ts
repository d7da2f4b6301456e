// Every component in a real graph, through success, refusal, failure, partial success, silence and shutdown: the books
// close exactly. What this does not show: that bytes arrive unchanged (fusion and interop tests).
import { afterAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { ComponentContext } from '../../src/component/contracts.ts'
import type { Definition } from '../../src/component/define.ts'
import { define } from '../../src/component/define.ts'
import { ack, type Consumer, type Delivery, deliver, type Failure, nack } from '../../src/component/delivery.ts'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import { Graph } from '../../src/graph/graph.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import { type LedgerRow, ledgerRows, total } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { testContext } from '../support/context.ts'
import { itemsOf, someBatches } from './support/data.ts'
import { definition as builtIn, definitions, nameOf, pipelineWith, resolve } from './support/subjects.ts'

type Behaviour = (delivery: Delivery, index: number) => void

const failure = (verdict: Failure['verdict']): Failure => ({
  verdict,
  reason: `test_${verdict}`,
  message: 'as the test asks',
})

/** What the end of the pipeline does with what reaches it. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'says yes': (delivery) => ack(delivery),
  'says yes later, after taking it into a queue': (delivery) => {
    delivery.admit()
    setTimeout(() => ack(delivery), 5)
  },
  'refuses for now': (delivery) => nack(delivery, failure('retry')),
  'refuses for good': (delivery) => nack(delivery, failure('reject')),
  'takes some and refuses some': (delivery) => delivery.settle({ ok: true, rejected: 1 }),
  'answers differently each time': (delivery, i) => {
    if (i % 3 === 0) ack(delivery)
    else nack(delivery, failure(i % 3 === 1 ? 'retry' : 'reject'))
  },
}

/** A graph around one component, with the test at both ends. */
class Bench {
  readonly registry = new MeterRegistry()
  readonly settled: number[] = []
  graph!: Graph
  #input: Consumer | undefined

  async build(config: ResolvedConfig, behaviour: Behaviour, waits: boolean): Promise<void> {
    const memory = SharedMeter.memory()
    const meter = new SharedMeter(memory, this.registry.attach(memory))
    let arrived = 0
    const described = {
      stability: 'beta',
      signals: ['traces', 'metrics', 'logs', 'profiles'],
      summary: 'test',
      config: {},
    } as const
    const ends = [
      define({
        ...described,
        kind: 'receiver',
        type: 'nop',
        create: (_, __, next) => {
          this.#input = Object.values(next)[0]
          return {}
        },
      }),
      define({
        ...described,
        kind: 'exporter',
        type: 'nop',
        create: () => ({
          acknowledges: waits ? ('delivered' as const) : ('admitted' as const),
          consume: (delivery: Delivery) => behaviour(delivery, arrived++),
        }),
      }),
    ]
    this.graph = await Graph.build(config, {
      definition: (kind, type) =>
        (ends.find((end) => end.kind === kind && end.type === type) as Definition | undefined) ?? builtIn(kind, type),
      context: (scope) => ({ ...testContext(), ...scope, meter, clock: systemClock }) as ComponentContext,
    })
    await this.graph.start(() => deadlineIn(1000))
  }

  send(signal: Signal, seed: number): number {
    const batches = someBatches(signal, 10, seed)
    batches.forEach((batch, i) => {
      this.#input!.consume(deliver(batch, { settled: () => void this.settled.push(i) }))
    })
    return itemsOf(batches)
  }

  async stop(ms: number): Promise<void> {
    const deadline = deadlineIn(ms)
    await this.graph.stop(deadline)
    deadline.clear()
  }

  rows(): LedgerRow[] {
    return ledgerRows(this.registry.read())
  }
}

function ends(row: LedgerRow): number {
  return row.sent + total(row.dropped) + total(row.failed) + total(row.folded)
}

const inner = definitions.filter(({ kind }) => kind === 'processor' || kind === 'connector')

describe.each(inner.map((subject) => [nameOf(subject), subject] as const))('%s', (_, subject) => {
  const cases = Object.entries(BEHAVIOURS).flatMap(([name, behaviour]) =>
    [true, false].map((waits) => [name, waits ? 'delivered' : 'admitted', behaviour, waits] as const),
  )
  test.each(cases)('behind it one who %s (%s)', async (_, __, behaviour, waits) => {
    for (const signal of subject.signals) {
      const bench = new Bench()
      await bench.build(await resolve(pipelineWith(subject, signal)), behaviour, waits)
      const items = bench.send(signal, 7)
      await bench.stop(300)
      await expect.poll(() => bench.settled.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      for (const row of bench.rows()) {
        expect(row).toMatchObject({ accepted: items, held: 0 })
        expect(ends(row)).toBe(items)
      }
    }
  })

  test('behind it one who never answers: at the deadline everything is settled, once', async () => {
    const signal = subject.signals[0]!
    const bench = new Bench()
    const kept: Delivery[] = []
    await bench.build(await resolve(pipelineWith(subject, signal)), (delivery) => void kept.push(delivery), true)
    const items = bench.send(signal, 8)
    const stopped = bench.stop(100)
    // The end of the pipeline keeps its promise as an exporter does: what it holds at the deadline it gives up.
    setTimeout(() => {
      for (const delivery of kept.splice(0)) nack(delivery, failure('stopping'))
    }, 80)
    await stopped
    await expect.poll(() => bench.settled.length).toBe(10)
    for (const row of bench.rows()) expect(row).toMatchObject({ accepted: items, sent: 0, held: 0 })
  })
})

const exporters = definitions.filter(({ kind }) => kind === 'exporter')

describe.each(exporters.map((subject) => [nameOf(subject), subject] as const))('%s', (_, subject) => {
  test.each(subject.signals.filter((signal) => signal !== 'profiles'))(
    '%s: ten batches, then a stop',
    async (signal) => {
      const bench = new Bench()
      await bench.build(await resolve(pipelineWith(subject, signal)), ack, true)
      const items = bench.send(signal, 9)
      await bench.stop(500)
      expect(bench.settled).toHaveLength(10)
      for (const row of bench.rows()) {
        expect(row).toMatchObject({ accepted: items, held: 0 })
        expect(ends(row)).toBe(items)
      }
    },
  )
})

afterAll(async () => {
  const sockets = (): string[] => process.getActiveResourcesInfo().filter((name) => name.includes('TCP'))
  await vi.waitFor(() => expect(sockets()).toEqual([]), 5000)
})
