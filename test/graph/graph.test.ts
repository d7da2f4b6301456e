import { expect, test } from 'vitest'
import type { Component, ComponentContext, ConnectorOutputs, Outputs } from '../../src/component/contracts.ts'
import { type Definition, define } from '../../src/component/define.ts'
import { ack, type Consumer, type Delivery, nack, type Outcome, split } from '../../src/component/delivery.ts'
import type { ResolvedConfig, ResolvedPipeline } from '../../src/config/resolved.ts'
import { SluiceError } from '../../src/errors.ts'
import { Graph } from '../../src/graph/graph.ts'
import { deadlineIn } from '../../src/lanes/deadline.ts'
import { type Batch, makeBatch, type Signal } from '../../src/otlp/batch.ts'
import { type LedgerRow, ledgerRows } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { testContext } from '../support/context.ts'
import { track } from '../support/deliveries.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'

const BOTH: readonly Signal[] = ['traces', 'logs']
const described = { stability: 'beta', signals: BOTH, summary: 'For tests.', config: {} } as const

/** What the components of one test did, and a hold on them. */
class Rig {
  readonly events: string[] = []
  readonly outputs: Outputs = {}
  /** What every exporter does with a delivery, by id. */
  readonly behaviour = new Map<string, (delivery: Delivery) => void>()
  readonly registry = new MeterRegistry()
  readonly #meter: SharedMeter
  failStart: string | undefined

  constructor() {
    const memory = SharedMeter.memory()
    this.#meter = new SharedMeter(memory, this.registry.attach(memory))
  }

  life(name: string): Component {
    return {
      start: () => {
        this.events.push(`start ${name}`)
        if (this.failStart === name) throw new SluiceError('LISTEN_FAILED', 'no room')
      },
      stop: () => void this.events.push(`stop ${name}`),
      ready: () => void this.events.push(`ready ${name}`),
    }
  }

  definitions(): Definition[] {
    return [
      define({
        ...described,
        kind: 'receiver',
        type: 'in',
        create: (_, ctx, next) => {
          Object.assign(this.outputs, next)
          return this.life(ctx.id)
        },
      }),
      define({
        ...described,
        kind: 'processor',
        type: 'half',
        create: (_, ctx, next) => ({
          ...this.life(`${ctx.id}@${ctx.pipeline}`),
          acknowledges: next.acknowledges,
          consume(delivery) {
            const { batch } = delivery
            const half = makeBatch(batch.signal, batch.chunks, batch.items / 2, batch.context)
            for (const part of split(delivery, [half, half])) next.consume(part)
          },
        }),
      }),
      define({
        ...described,
        kind: 'exporter',
        type: 'out',
        create: (_, ctx): Component & Consumer => ({
          ...this.life(ctx.id),
          acknowledges: 'delivered',
          consume: (delivery) => (this.behaviour.get(ctx.id) ?? ack)(delivery),
        }),
      }),
      define({
        ...described,
        kind: 'connector',
        type: 'link',
        connects: BOTH.map((signal) => [signal, signal] as const),
        create: (_, ctx, next: ConnectorOutputs) => ({
          ...this.life(ctx.id),
          acknowledges: 'delivered',
          consume: (delivery) => next.to(delivery.batch.signal)?.consume(delivery),
        }),
      }),
      define({ ...described, kind: 'extension', type: 'ext', create: (_, ctx) => this.life(ctx.id) }),
    ] as unknown as Definition[]
  }

  build(pipelines: readonly ResolvedPipeline[], extensions: readonly string[] = []): Promise<Graph> {
    const definitions = this.definitions()
    const find = (kind: string, type: string): Definition =>
      definitions.find((definition) => definition.kind === kind && definition.type === type)!
    const components = (kind: string, ids: readonly string[]): ResolvedConfig['receivers'] =>
      Object.fromEntries(
        ids
          .filter((id) => find(kind, id.split('/')[0]!))
          .map((id) => [id, { id, type: id.split('/')[0]!, config: {}, used: true }]),
      )
    const ids = pipelines.flatMap(({ receivers, processors, exporters }) => [...receivers, ...processors, ...exporters])
    const config: ResolvedConfig = {
      receivers: components('receiver', ids),
      processors: components('processor', ids),
      exporters: components('exporter', ids),
      connectors: components('connector', ids),
      extensions: components('extension', extensions),
      service: {
        pipelines,
        extensions,
        telemetry: ownTelemetry({ logs: { level: 'info', encoding: 'json' }, metrics: { level: 'detailed' } }),
        admission: { limitMib: undefined, limitPercentage: undefined },
        lanes: 1,
        laneRestartsPerMinute: 5,
        shutdownTimeoutMs: 1000,
        featureGates: [],
      },
      secrets: [],
    }
    return Graph.build(config, {
      definition: find,
      context: (scope) => ({ ...testContext(), ...scope, meter: this.#meter }) as ComponentContext,
    })
  }

  send(signal: Signal, items: number): { readonly events: string[]; readonly outcome?: Outcome } {
    const tracked = track(batchOf(signal, items))
    this.outputs[signal]!.consume(tracked.delivery)
    return tracked
  }

  ledger(pipeline: string): Omit<LedgerRow, 'pipeline'> | undefined {
    const { pipeline: _, ...row } = ledgerRows(this.registry.read()).find((row) => row.pipeline === pipeline)!
    return row
  }

  counter(name: string): number {
    return this.registry
      .read()
      .filter((reading) => reading.name === name)
      .reduce((sum, { value }) => sum + Number(value), 0)
  }
}

function batchOf(signal: Signal, items: number): Batch {
  return makeBatch(signal, [new Uint8Array(items)], items, { arrivedAt: 0, transport: 'test' })
}

const pipeline = (id: string, receivers: string, processors: string, exporters: string): ResolvedPipeline => ({
  id,
  signal: id.split('/')[0] as Signal,
  receivers: receivers.split(' '),
  processors: processors.split(' ').filter(Boolean),
  exporters: exporters.split(' '),
})

const deadline = (): ReturnType<typeof deadlineIn> => deadlineIn(1000)

test('starts back to front and stops front to back, through a connector', async () => {
  const rig = new Rig()
  const graph = await rig.build(
    [pipeline('traces/a', 'in', 'half', 'link'), pipeline('traces/b', 'link', 'half/b', 'out out/2')],
    ['ext'],
  )
  await graph.start(deadline)
  const order = ['ext', 'out', 'out/2', 'half/b@traces/b', 'link', 'half@traces/a', 'in']
  expect(rig.events).toEqual([...order.map((name) => `start ${name}`), ...order.map((name) => `ready ${name}`)])

  rig.events.length = 0
  const end = deadline()
  await graph.stop(end)
  await graph.stop(end)
  end.clear()
  expect(rig.events).toEqual(
    ['in', 'half@traces/a', 'link', 'half/b@traces/b', 'out', 'out/2', 'ext'].map((name) => `stop ${name}`),
  )
})

test('a component that cannot start is named, and what had started is stopped', async () => {
  const rig = new Rig()
  rig.failStart = 'in'
  const graph = await rig.build([pipeline('traces', 'in', '', 'out')])
  await expect(graph.start(deadline)).rejects.toThrow(new SluiceError('LISTEN_FAILED', 'receiver in: no room'))
  expect(rig.events).toEqual(['start out', 'start in', 'stop in', 'stop out'])
})

test('the books close over split, fan-out and partial success', async () => {
  const rig = new Rig()
  await rig.build([pipeline('traces', 'in', 'half', 'out out/2')])
  rig.behaviour.set('out/2', (delivery) => delivery.settle({ ok: true, rejected: 3 }))

  expect(rig.send('traces', 100).outcome).toMatchObject({ ok: true, rejected: 6 })
  expect(rig.ledger('traces')).toMatchObject({ accepted: 100, sent: 94, failed: { rejected: 6 }, held: 0 })
  expect(rig.counter('otelcol_receiver_accepted_spans')).toBe(100)
})

test('one exporter that fails fails the item, and the client is told once all have answered', async () => {
  const rig = new Rig()
  await rig.build([pipeline('traces', 'in', '', 'out out/2')])
  const queued: Delivery[] = []
  rig.behaviour.set('out', (delivery) => {
    delivery.admit()
    queued.push(delivery)
  })
  rig.behaviour.set('out/2', (delivery) => nack(delivery, { verdict: 'retry', reason: 'queue_full', message: 'full' }))

  const sent = rig.send('traces', 10)
  expect(sent.events).toEqual(['refused:queue_full'])
  expect(rig.ledger('traces')).toMatchObject({ accepted: 10, held: 10 })
  expect(rig.counter('otelcol_receiver_refused_spans')).toBe(10)

  ack(queued[0]!)
  expect(sent.events).toEqual(['refused:queue_full', 'retry:queue_full'])
  expect(rig.ledger('traces')).toMatchObject({ accepted: 10, sent: 0, failed: { queue_full: 10 }, held: 0 })
  expect(rig.counter('otelcol_receiver_refused_spans')).toBe(10)
})

test('a receiver in two pipelines feeds both; each keeps its own books', async () => {
  const rig = new Rig()
  await rig.build([
    pipeline('traces/a', 'in', '', 'out'),
    pipeline('traces/b', 'in', '', 'out/2'),
    pipeline('logs', 'in', '', 'out'),
  ])
  rig.send('traces', 4)
  rig.send('logs', 2)
  for (const [id, items] of [
    ['traces/a', 4],
    ['traces/b', 4],
    ['logs', 2],
  ] as const) {
    expect(rig.ledger(id)).toMatchObject({ accepted: items, sent: items, held: 0 })
  }
  expect(rig.counter('otelcol_receiver_accepted_spans')).toBe(4)
  expect(rig.counter('otelcol_receiver_accepted_log_records')).toBe(2)
})

test('a component that throws costs its batch and says so, and the next batch passes', async () => {
  const rig = new Rig()
  await rig.build([pipeline('traces', 'in', '', 'out')])
  rig.behaviour.set('out', () => {
    throw new Error('boom')
  })
  expect(rig.send('traces', 5).outcome).toEqual({
    ok: false,
    failure: { verdict: 'reject', reason: 'component_error', message: 'exporter out: boom' },
  })
  rig.behaviour.delete('out')
  rig.send('traces', 5)
  expect(rig.ledger('traces')).toMatchObject({ accepted: 10, sent: 5, failed: { component_error: 5 }, held: 0 })
})

test('what a connector hands on is sent in one pipeline when it is delivered in the next', async () => {
  const rig = new Rig()
  await rig.build([pipeline('traces/a', 'in', '', 'link'), pipeline('traces/b', 'link', '', 'out')])
  const held: Delivery[] = []
  rig.behaviour.set('out', (delivery) => void held.push(delivery))
  rig.send('traces', 8)
  expect(rig.ledger('traces/a')).toMatchObject({ accepted: 8, sent: 0, held: 8 })
  expect(rig.ledger('traces/b')).toMatchObject({ accepted: 8, sent: 0, held: 8 })
  ack(held[0]!)
  expect(rig.ledger('traces/a')).toMatchObject({ sent: 8, held: 0 })
  expect(rig.ledger('traces/b')).toMatchObject({ sent: 8, held: 0 })
})
