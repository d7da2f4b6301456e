import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ack, type Consumer, type Delivery } from '../../src/component/delivery.ts'
import { fuse } from '../../src/component/fusion.ts'
import type { NamedProcessor } from '../../src/component/pass.ts'
import type { Access, Level, RecordProcessor } from '../../src/component/record-processor.ts'
import { makeBatch, type Signal } from '../../src/otlp/batch.ts'
import { countItems } from '../../src/otlp/count.ts'
import type { Attributes, ResourceCursor } from '../../src/otlp/cursors.ts'
import { encodeValue } from '../../src/otlp/encode.ts'
import { Key } from '../../src/otlp/key.ts'
import { ledgerRows, PipelineLedger } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { arbitraryRequest, KEYS, type Request } from '../otlp/support/arbitraries.ts'
import { readProtobufjs } from '../otlp/support/oracles.ts'
import { track } from '../support/deliveries.ts'

type Traced = Exclude<Signal, 'profiles'>
const SIGNALS: readonly Traced[] = ['traces', 'metrics', 'logs']

const own = (level: Level): Access => ({ reads: [level], writes: [level] })
const ALL: readonly Level[] = ['resource', 'scope', 'metric', 'record']

/** Processors of every kind of access. Each is made anew for each run, so that what they count starts at nothing. */
const POOL: readonly ((key: Key, other: Key) => RecordProcessor & { counted?: () => number })[] = [
  // Edits on each level.
  (key) => onRecords(own('record'), ({ attributes }) => attributes.set(key, encodeValue('set'))),
  (key) => onRecords(own('record'), ({ attributes }) => void attributes.delete(key)),
  (key, other) => onRecords(own('record'), ({ attributes }) => void attributes.rename(key, other)),
  (key) => ({
    access: { resource: own('resource') },
    resource: ({ attributes }) => void attributes.insert(key, encodeValue(7n)),
  }),
  (key) => ({ access: { resource: own('resource') }, resource: ({ attributes }) => void attributes.delete(key) }),
  (key) => ({ access: { scope: own('scope') }, scope: ({ attributes }) => attributes.set(key, encodeValue(true)) }),
  (key) => ({
    access: { metric: { reads: ['metric'], writes: ['metric'] } },
    metric: (metric) => metric.setName(key.bytes),
  }),
  // Drops on each level: a drop writes the level and all below.
  (key) =>
    onRecords(own('record'), (record) => {
      if (record.attributes.has(key)) record.drop()
    }),
  (key) => ({
    access: { resource: { reads: ['resource'], writes: ALL } },
    resource: (resource) => {
      if (resource.attributes.has(key)) resource.drop()
    },
  }),
  (key) => ({
    access: { scope: { reads: ['scope'], writes: ['scope', 'metric', 'record'] } },
    scope: (scope) => {
      if (scope.attributes.has(key)) scope.drop()
    },
  }),
  // Across levels: a record chosen by its resource, a resource written from its records.
  (key, other) =>
    onRecords({ reads: ['resource', 'record'], writes: ['record'] }, ({ attributes, resource }) => {
      if (resource.attributes.has(key)) attributes.set(other, encodeValue('by resource'))
    }),
  (key, other) =>
    onRecords({ reads: ['record', 'resource'], writes: ['resource'] }, ({ attributes, resource }) => {
      if (attributes.has(key)) resource.attributes.set(other, encodeValue(BigInt(resource.attributes.size)))
    }),
  // One that only looks, and counts what it saw, as a failing statement would be counted.
  (key) => {
    let seen = 0
    let counted = 0
    return {
      ...onRecords({ reads: ['record'], writes: [] }, ({ attributes }) => {
        if (attributes.has(key)) seen += attributes.size
      }),
      commit: () => {
        counted += seen
        seen = 0
      },
      abort: () => {
        seen = 0
      },
      counted: () => counted,
    }
  },
]

interface AnyRecord {
  readonly attributes: Attributes
  readonly resource: ResourceCursor
  drop(): void
}

function onRecords(access: Access, hook: (record: AnyRecord) => void): RecordProcessor {
  return { access: { record: access }, span: hook, log: hook, dataPoint: hook }
}

/** Fused as production does it, or with every processor a stage of its own. */
function run(
  request: Request,
  chain: readonly (RecordProcessor & { counted?: () => number })[],
  stages: 'fused' | 'single',
): unknown {
  const signal = request.signal as Traced
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory))
  const ledger = new PipelineLedger(meter, signal)
  const env = { ledger, meter, log: pino({ level: 'silent' }) }
  // Copies: what a pass wrote is overwritten once its delivery is settled.
  const out: { readonly bytes: Uint8Array; readonly items: number }[] = []
  const named: NamedProcessor[] = chain.map((processor, i) => ({ id: `p/${i}`, processor }))
  let head: Consumer = {
    acknowledges: 'delivered',
    consume: (delivery) => {
      out.push({ bytes: Buffer.concat(delivery.batch.chunks), items: delivery.batch.items })
      ack(delivery)
    },
  }
  if (stages === 'fused') head = fuse(signal, named, env, head)
  else for (const one of named.toReversed()) head = fuse(signal, [one], env, head)

  const items = countItems(signal, request.bytes)
  ledger.accepted(items)
  const tracked = track(makeBatch(signal, [request.bytes], items, { arrivedAt: 0 }))
  head.consume(tracked.delivery)
  for (const left of out) expect(left.items).toBe(countItems(signal, left.bytes))
  return {
    outcome: tracked.outcome,
    out: out.map(({ bytes }) => readProtobufjs(signal, bytes)),
    ledger: ledgerRows(registry.read()).map(({ held: _, sent: __, ...row }) => row),
    counters: registry
      .read()
      // How long they worked is theirs together.
      .filter(({ name }) => /^otelcol_processor_(incoming|outgoing)/.test(name))
      .map(({ name, labels, value }) => `${name} ${labels['processor']} ${Number(value)}`)
      .sort(),
    counted: chain.map(({ counted }) => counted?.()),
  }
}

const link = fc.record({
  processor: fc.nat(POOL.length - 1),
  key: fc.constantFrom(...KEYS),
  other: fc.constantFrom(...KEYS),
})

test.each(SIGNALS)(
  '%s: any chain fused is the same as one by one',
  (signal) => {
    fc.assert(
      fc.property(arbitraryRequest(signal), fc.array(link, { minLength: 1, maxLength: 5 }), (request, links) => {
        const chain = (): RecordProcessor[] =>
          links.map(({ processor, key, other }) => POOL[processor]!(Key.of(key), Key.of(other)))
        expect(run(request, chain(), 'fused')).toEqual(run(request, chain(), 'single'))
      }),
      { numRuns: 10_000 },
    )
  },
  120_000,
)

test('what nobody touches leaves as the very bytes that came', () => {
  const bytes = new Uint8Array([10, 0])
  const env = {
    ledger: new PipelineLedger(silentMeter(), 'traces'),
    meter: silentMeter(),
    log: pino({ level: 'silent' }),
  }
  const out: Delivery[] = []
  const look: RecordProcessor = { access: { resource: { reads: ['resource'], writes: [] } }, resource: () => {} }
  const head = fuse('traces', [{ id: 'look', processor: look }], env, {
    acknowledges: 'delivered',
    consume: (delivery) => void out.push(delivery),
  })
  const { delivery } = track(makeBatch('traces', [bytes], 0, { arrivedAt: 0 }))
  head.consume(delivery)
  expect(out).toEqual([delivery])
  expect(out[0]!.batch.chunks[0]).toBe(bytes)
})

test('a processor that throws refuses the batch, books it, and forgets what it had counted; the next batch passes', () => {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory))
  const ledger = new PipelineLedger(meter, 'traces')
  const events: string[] = []
  let broken = true
  const chain: NamedProcessor[] = [
    {
      id: 'first',
      processor: {
        access: { resource: own('resource') },
        resource: ({ attributes }) => attributes.set(Key.of('a'), encodeValue('b')),
        commit: () => void events.push('commit'),
        abort: () => void events.push('abort'),
      },
    },
    {
      id: 'second',
      processor: {
        access: { record: own('record') },
        span: () => {
          if (broken) throw new Error('boom')
        },
      },
    },
  ]
  const sink: Consumer = { acknowledges: 'delivered', consume: ack }
  const head = fuse('traces', chain, { ledger, meter, log: pino({ level: 'silent' }) }, sink)
  // One resource, one scope, one empty span.
  const bytes = new Uint8Array([10, 4, 18, 2, 18, 0])
  const send = (): string[] => {
    ledger.accepted(1)
    const { delivery, events } = track(makeBatch('traces', [bytes], 1, { arrivedAt: 0 }))
    head.consume(delivery)
    return events
  }
  expect(send()).toEqual(['reject:processor_error'])
  expect(events).toEqual(['abort'])
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 1, failed: { processor_error: 1 }, held: 0 }])
  broken = false
  expect(send()).toEqual(['ok'])
  expect(events).toEqual(['abort', 'commit'])
})

function silentMeter(): SharedMeter {
  return new SharedMeter(SharedMeter.memory(), () => {})
}
