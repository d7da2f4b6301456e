// The contract tried on three components that are not there yet. What this does not show: that they are worth having.
import { describe, expect, test } from 'vitest'
import type { Component } from '../../src/component/contracts.ts'
import { ack, type Consumer, type Delivery } from '../../src/component/delivery.ts'
import { type Batch, makeBatch } from '../../src/otlp/batch.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { type MeshLanes, meshLanes } from '../lanes/support/mesh-lanes.ts'
import { readProtobufEs, writeProtobufEs } from '../otlp/support/oracles.ts'
import { startRecordProcessor } from '../processors/support/run-record-processor.ts'
import { Sink, track } from '../support/deliveries.ts'
import redaction from './sketches/redaction.ts'
import { SeverityCount } from './sketches/severity-count.ts'
import { TailSampler } from './sketches/tail-sampler.ts'

/** Books what arrives as the end of a pipeline does. */
class End extends Sink {
  readonly #sent: (items: number) => void

  constructor(sent: (items: number) => void) {
    super()
    this.#sent = sent
  }

  override consume(delivery: Delivery): void {
    super.consume(delivery)
    this.#sent(delivery.batch.items)
    ack(delivery)
  }
}

interface Built<C> {
  readonly lanes: MeshLanes
  readonly ends: readonly End[]
  readonly components: readonly C[]
  /** Brings a batch in as the entry of the pipeline in `lane` would; gives what became of it. */
  readonly bring: (lane: number, batch: Batch) => readonly string[]
}

function build<C extends Component & Consumer>(
  count: number,
  signal: 'traces' | 'logs',
  make: (lanes: MeshLanes, lane: number, next: Consumer) => C,
): Built<C> {
  const lanes = meshLanes(count, signal)
  const ends = lanes.ledgers.map((ledger) => new End((items) => ledger.sent(items)))
  const components = ends.map((end, lane) => make(lanes, lane, end))
  return {
    lanes,
    ends,
    components,
    bring(lane, batch) {
      lanes.ledgers[lane]!.accepted(batch.items)
      const { delivery, events } = track(batch)
      components[lane]!.consume(delivery)
      return events
    },
  }
}

const TRACE_IDS = Array.from({ length: 20 }, (_, i) => new Uint8Array(16).fill(i + 1))

function spans(
  ...list: readonly { readonly trace: number; readonly name: string; readonly failed?: boolean }[]
): Batch {
  const written = list.map(({ trace, name, failed }) => ({
    traceId: TRACE_IDS[trace]!,
    name,
    status: failed ? { code: 2 } : {},
  }))
  const bytes = writeProtobufEs('traces', { resourceSpans: [{ scopeSpans: [{ spans: written }] }] })
  return makeBatch('traces', [bytes], list.length, { arrivedAt: 1 })
}

/** Everything of that name in what arrived. */
function found(end: Sink, signal: 'traces' | 'logs', name: string): unknown[] {
  const values: unknown[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) visit(each)
    else if (typeof node === 'object' && node !== null && !ArrayBuffer.isView(node)) {
      for (const [key, value] of Object.entries(node)) {
        if (key === name) values.push(value)
        visit(value)
      }
    }
  }
  for (const { batch } of end.deliveries) for (const chunk of batch.chunks) visit(readProtobufEs(signal, chunk))
  return values
}

describe('a tail sampler', () => {
  const sampler = (count: number) =>
    build(count, 'traces', ({ contexts }, lane, next) => new TailSampler({ waitMs: 1000 }, contexts[lane]!, next))

  test.each([1, 2, 4])(
    'over %d lanes decides about whole traces, whichever lanes their spans come to',
    async (count) => {
      const { lanes, ends, bring } = sampler(count)
      const events = TRACE_IDS.flatMap((_, trace) => [
        bring(trace % count, spans({ trace, name: `${trace} a` }, { trace: (trace + 1) % 20, name: `${trace} b` })),
        bring((trace + 1) % count, spans({ trace, name: `${trace} c`, failed: trace % 4 === 0 })),
      ])
      await lanes.quiet()
      expect(events.flat()).toEqual(Array<string>(40).fill('ok'))
      expect(lanes.books().held).toBe(60)
      await lanes.clock.advance(1000)
      const names = ends.flatMap((end) => found(end, 'traces', 'name'))
      const kept = [0, 4, 8, 12, 16].flatMap((trace) => [`${trace} a`, `${trace} c`, `${(trace + 19) % 20} b`])
      expect(new Set(names)).toEqual(new Set(kept))
      expect(names.length).toBe(kept.length)
      // A trace leaves as one batch of one lane.
      expect(ends.flatMap(({ items }) => items)).toEqual([3, 3, 3, 3, 3])
      expect(lanes.books()).toMatchObject({ accepted: 60, sent: 15, dropped: { 'sketch: not_sampled': 45 }, held: 0 })
    },
  )

  test('moves its traces to the one that takes its place', async () => {
    const { lanes, ends, components, bring } = sampler(1)
    bring(0, spans({ trace: 1, name: 'a' }, { trace: 2, name: 'b' }))
    const state = [...components[0]!.exportState()]
    components[0]!.stop()
    const next = new TailSampler({ waitMs: 1000 }, lanes.contexts[0]!, ends[0]!)
    for (const piece of state) next.importState(piece)
    lanes.ledgers[0]!.accepted(1)
    next.consume(track(spans({ trace: 2, name: 'c', failed: true })).delivery)
    await lanes.clock.advance(1000)
    expect(found(ends[0]!, 'traces', 'name')).toEqual(['b', 'c'])
    expect(lanes.books()).toMatchObject({ accepted: 3, sent: 2, dropped: { 'sketch: not_sampled': 1 }, held: 0 })
    expect(() => next.importState(Uint8Array.of(9))).toThrow('version 9')
  })
})

test('a redaction masks what it should, and counts it once', async () => {
  const attributes = (value: string) => [{ key: 'card', value: { stringValue: value } }]
  const span = (value: string) => ({
    name: value,
    attributes: attributes(value),
    events: [{ name: 'e', attributes: attributes('no number') }],
  })
  const bytes = writeProtobufEs('traces', {
    resourceSpans: [{ scopeSpans: [{ spans: [span('4111111111111111'), span('41111')] }] }],
  })
  const running = await startRecordProcessor(redaction, 'traces', {})
  const text = JSON.stringify(readProtobufEs('traces', running.run(bytes)!), (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  expect(text.match(/"stringValue":"[^"]*"/g)).toEqual([
    '"stringValue":"****"',
    '"stringValue":"no number"',
    '"stringValue":"41111"',
    '"stringValue":"no number"',
  ])
  expect(running.ctx.meter.total('sketch_masked_values')).toBe(1)
})

describe('a count by severity', () => {
  const counter = (count: number) =>
    build(count, 'logs', ({ contexts }, lane, next) => {
      const component = new SeverityCount({ intervalMs: 10_000 }, contexts[lane]!, next)
      component.start()
      return component
    })
  const logs = (...severities: number[]): Batch => {
    const logRecords: PlainObject[] = severities.map((severityNumber) => ({ severityNumber }))
    const bytes = writeProtobufEs('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
    return makeBatch('logs', [bytes], severities.length, { arrivedAt: 1 })
  }
  const counts = (end: Sink): string[] =>
    found(end, 'logs', 'logRecords').flatMap((records) =>
      (records as PlainObject[]).map(({ severityNumber, attributes }) => {
        const [{ value }] = attributes as [{ value: { intValue: bigint } }]
        return `${severityNumber as number}: ${value.intValue}`
      }),
    )

  test.each([1, 2, 4])('over %d lanes comes from the first, once an interval, with what all had', async (count) => {
    const { lanes, ends, components, bring } = counter(count)
    for (let lane = 0; lane < count; lane++) bring(lane, logs(9, 9, 17))
    await lanes.clock.advance(10_000)
    await lanes.quiet()
    expect(counts(ends[0]!)).toEqual([`9: ${2 * count}`, `17: ${count}`])
    bring(count - 1, logs(5))
    await lanes.clock.advance(10_000)
    await lanes.quiet()
    expect(counts(ends[0]!).slice(2)).toEqual(['5: 1'])
    for (const component of components) await component.stop()
    const accepted = 3 * count + 1
    expect(lanes.books()).toMatchObject({ accepted: accepted + 3, sent: 3, folded: { sketch: accepted }, held: 0 })
    await lanes.clock.advance(30_000)
    expect(lanes.clock.timers).toBe(0)
  })

  test('goes on without a lane that does not answer, and from the next when the first has ended', async () => {
    const { lanes, ends, bring } = counter(3)
    for (let lane = 0; lane < 3; lane++) bring(lane, logs(9))
    lanes.meshes[0]!.close()
    await lanes.quiet()
    await lanes.clock.advance(10_000)
    await lanes.quiet()
    // Lane 1 is the first of those that are left. What lane 0 had it has for itself.
    expect(counts(ends[1]!)).toEqual(['9: 2'])
  })
})
