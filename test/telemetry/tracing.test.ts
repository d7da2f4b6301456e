import { expect, test } from 'vitest'
import { SharedPiece } from '../../src/memory/shared-board.ts'
import { encodeSpans } from '../../src/telemetry/otlp-spans.ts'
import { extract, inject } from '../../src/telemetry/propagation.ts'
import { requestTracer } from '../../src/telemetry/request-tracer.ts'
import { LATENCY_BOUNDS_MS, SpanBook } from '../../src/telemetry/span-book.ts'
import { traceIdFits } from '../../src/telemetry/trace-sampler.ts'
import { type FinishedSpan, SPAN_KIND, type Tracer } from '../../src/telemetry/tracer.ts'
import { readProtobufjs } from '../otlp/support/oracles.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const from = (headers: Record<string, string>) => ({ header: (name: string) => headers[name] })

interface Rig {
  readonly tracer: Tracer
  readonly clock: FakeClock
  readonly finished: FinishedSpan[]
}

function rig(traces: object = {}): Rig {
  const clock = new FakeClock()
  const finished: FinishedSpan[] = []
  return {
    tracer: requestTracer(ownTelemetry({ traces }).traces, clock, (span) => void finished.push(span)),
    clock,
    finished,
  }
}

test('a caller is read from traceparent or b3, and told in the same', () => {
  const parent = { traceId: TRACE, spanId: SPAN, sampled: true }
  const read = (headers: Record<string, string>) => extract(['tracecontext', 'b3'], from(headers))
  expect(read({ traceparent: `00-${TRACE}-${SPAN}-01` })).toEqual(parent)
  expect(read({ traceparent: `00-${TRACE}-${SPAN}-00` })).toEqual({ ...parent, sampled: false })
  expect(read({ b3: `${TRACE}-${SPAN}-1` })).toEqual(parent)
  expect(read({ 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' })).toEqual({
    ...parent,
    sampled: false,
  })
  expect(read({ 'x-b3-traceid': TRACE.slice(16), 'x-b3-spanid': SPAN })!.traceId).toBe(
    `${'0'.repeat(16)}${TRACE.slice(16)}`,
  )
  for (const traceparent of [
    '',
    'ff-x',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ]) {
    expect(read({ traceparent }), traceparent).toBeUndefined()
  }
  expect(inject(['tracecontext', 'b3'], TRACE, SPAN)).toEqual({
    traceparent: `00-${TRACE}-${SPAN}-01`,
    b3: `${TRACE}-${SPAN}-1`,
  })
})

test('without a sampler 20 requests a second get spans, and none that its caller left out', async () => {
  const { tracer, clock } = rig()
  const sampled = (headers: Record<string, string> = {}): boolean => tracer.request('r', from(headers)) !== undefined
  expect(sampled({ traceparent: `00-${TRACE}-${SPAN}-00` })).toBe(false)
  expect(Array.from({ length: 100 }, () => sampled()).filter(Boolean)).toHaveLength(20)
  await clock.advance(1000)
  expect(sampled()).toBe(true)
})

test('the 20 requests a second are those of all lanes together', async () => {
  const clock = new FakeClock()
  const shared = SharedPiece.alone()
  const lanes = [1, 2, 3].map(() => requestTracer(ownTelemetry({}).traces, clock, () => {}, shared))
  const sampled = (): number =>
    lanes.flatMap((lane) => Array.from({ length: 9 }, () => lane.request('r', from({})))).filter(Boolean).length
  expect(sampled()).toBe(20)
  expect(lanes.map((lane) => lane.start('s', SPAN_KIND.CLIENT, undefined)).filter(Boolean)).toHaveLength(3)
  await clock.advance(1000)
  expect(sampled()).toBe(20)
})

test('samplers: on, off, by the caller, and by trace id', () => {
  const headers = (flag: string) => from({ traceparent: `00-${TRACE}-${SPAN}-${flag}` })
  const samples = (sampler: object, flag?: string): boolean =>
    rig({ sampler }).tracer.request('r', flag === undefined ? from({}) : headers(flag)) !== undefined
  expect([samples({ always_on: {} }), samples({ always_off: {} })]).toEqual([true, false])
  const byParent = { parent_based: { root: { always_off: {} } } }
  expect([samples(byParent), samples(byParent, '01'), samples(byParent, '00')]).toEqual([false, true, false])
  // The last 64 bits of the trace id, 0x8448…, are at 0.517 of their range.
  const ratio = (share: number) => samples({ trace_id_ratio_based: { ratio: share } }, '00')
  expect([ratio(0), ratio(0.5), ratio(0.52), ratio(1)]).toEqual([false, false, true, true])
})

test('parent_based: each kind of parent has its own sampler', () => {
  const caller = (flag: string) => from({ traceparent: `00-${TRACE}-${SPAN}-${flag}` })
  const half = { trace_id_ratio_based: { ratio: 0.52 } }
  const { tracer } = rig({
    sampler: {
      parent_based: {
        remote_parent_sampled: { always_off: {} },
        remote_parent_not_sampled: half,
        local_parent_sampled: { trace_id_ratio_based: { ratio: 0.5 } },
      },
    },
  })
  expect(tracer.request('r', caller('01'))).toBeUndefined()
  const request = tracer.request('r', caller('00'))!
  expect(request.context.traceId).toBe(TRACE)
  // At 0.517 of the range: within the share of requests, beyond that of what is below them.
  expect(tracer.start('below', SPAN_KIND.CLIENT, request.context)).toBeUndefined()
  const all = rig({ sampler: { parent_based: { remote_parent_not_sampled: half } } }).tracer
  expect(all.start('below', SPAN_KIND.CLIENT, request.context)).toBeDefined()
  const none = rig({ sampler: { parent_based: { local_parent_sampled: { always_off: {} } } } }).tracer
  expect(none.request('r', from({}))).toBeDefined()
  expect(none.start('below', SPAN_KIND.CLIENT, request.context)).toBeUndefined()
})

test('a trace of its own has an id that the next hop samples by the same share', () => {
  const { tracer } = rig({ sampler: { trace_id_ratio_based: { ratio: 0.01 } } })
  let spans = 0
  for (let i = 0; i < 20_000; i++) {
    const span = tracer.request('r', from({}))
    if (span === undefined) continue
    spans++
    expect(traceIdFits(span.context.traceId, 0.01)).toBe(true)
  }
  // 200 expected; 6 standard deviations are 84.
  expect(spans).toBeGreaterThan(116)
  expect(spans).toBeLessThan(284)
})

test('level none makes no spans', () => {
  const { tracer } = rig({ level: 'none', sampler: { always_on: {} } })
  expect(tracer.request('r', from({}))).toBeUndefined()
})

test('a span below another, its limits, and its form in OTLP', async () => {
  const { tracer, clock, finished } = rig({
    sampler: { always_on: {} },
    limits: { attribute_count_limit: 2, attribute_value_length_limit: 3 },
  })
  const above = tracer.request('receiver/otlp/TraceDataReceived', from({ traceparent: `00-${TRACE}-${SPAN}-01` }))!
  const below = tracer.start('exporter/otlp/traces', SPAN_KIND.CLIENT, above.context)!
  expect(below.context.headers).toEqual({ traceparent: `00-${TRACE}-${below.context.spanId}-01` })
  below.set('exporter', 'otlp_grpc')
  below.set('items.sent', 5)
  below.set('one too many', true)
  await clock.advance(12)
  below.end('UNAVAILABLE')
  below.end()
  above.end()
  expect(finished.map(({ name, parentSpanId, durationMs }) => [name, parentSpanId, durationMs])).toEqual([
    ['exporter/otlp/traces', above.context.spanId, 12],
    ['receiver/otlp/TraceDataReceived', SPAN, 12],
  ])
  const request = encodeSpans(finished, { attributes: { 'service.name': 'me' }, schemaUrl: '' }, '9')
  const { resourceSpans } = JSON.parse(
    JSON.stringify(readProtobufjs('traces', request), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  ) as { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] }
  const [span] = resourceSpans[0]!.scopeSpans[0]!.spans
  expect(span).toMatchObject({
    name: 'exporter/otlp/traces',
    droppedAttributesCount: 1,
    attributes: [
      { key: 'exporter', value: { stringValue: 'otl' } },
      { key: 'items.sent', value: { intValue: '5' } },
    ],
    status: { message: 'UNAVAILABLE' },
  })
  expect(BigInt(String(span!['endTimeUnixNano'])) - BigInt(String(span!['startTimeUnixNano']))).toBe(12_000_000n)
})

test('the book keeps the last spans of each name, by latency and error', () => {
  const book = new SpanBook()
  const span = (name: string, durationMs: number, error?: string): FinishedSpan => ({
    name,
    kind: SPAN_KIND.SERVER,
    traceId: TRACE,
    spanId: SPAN,
    startMs: 0,
    durationMs,
    attributes: {},
    droppedAttributes: 0,
    ...(error !== undefined && { error }),
  })
  for (let i = 0; i < 12; i++) book.add(span('b', 5 + i / 100))
  book.add(span('a', 1e9))
  book.add(span('b', 1, 'why'))
  const [a, b] = book.read()
  expect(a!.counts.at(-1)).toBe(1)
  const bucket = LATENCY_BOUNDS_MS.indexOf(10)
  expect([b!.counts[bucket], b!.errors, b!.samples[bucket]!.length]).toEqual([12, 1, 10])
  expect(b!.samples[bucket]![0]!.durationMs).toBe(5.11)
})
