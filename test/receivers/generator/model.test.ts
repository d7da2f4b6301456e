import { describe, expect, test } from 'vitest'
import { Model, type ModelOptions } from '../../../receivers/generator/model.ts'
import { type PlainObject, toPlain } from '../../../src/otlp/plain-object.ts'
import { validate } from '../../../src/otlp/validate.ts'

const NOW = Date.UTC(2026, 0, 1)
const OPTIONS: ModelOptions = { seed: 7, errorRatio: 0.2, piiRatio: 0.2 }

type List = PlainObject[]

function attributesOf(message: PlainObject): Record<string, unknown> {
  return Object.fromEntries(
    ((message.attributes ?? []) as List).map(({ key, value }) => [key, Object.values(value as PlainObject)[0]]),
  )
}

/** Spans or log records with their resource's attributes. */
function recordsOf(
  signal: 'traces' | 'logs',
  bytes: Uint8Array,
): { record: PlainObject; resource: Record<string, unknown> }[] {
  const [groups, scopes, records] =
    signal === 'traces' ? ['resourceSpans', 'scopeSpans', 'spans'] : ['resourceLogs', 'scopeLogs', 'logRecords']
  return (toPlain(signal, bytes)[groups!] as List).flatMap((group) =>
    (group[scopes!] as List).flatMap((scope) =>
      (scope[records!] as List).map((record) => ({ record, resource: attributesOf(group.resource as PlainObject) })),
    ),
  )
}

const hex = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString('hex')

describe.each(['traces', 'metrics', 'logs'] as const)('%s', (signal) => {
  test('every request holds exactly as many items as were asked for', () => {
    const model = new Model(OPTIONS)
    for (const items of [1, 2, 7, 500, 3]) expect(validate(signal, model[signal](items, NOW))).toBe(items)
  })

  test('the same seed and times give the same bytes, another seed gives others', () => {
    const bytes = [7, 7, 8].map((seed) => {
      const model = new Model({ ...OPTIONS, seed })
      return [1, 100, 30].map((items, i) => hex(model[signal](items, NOW + i * 1000))).join()
    })
    expect(bytes[1]).toBe(bytes[0])
    expect(bytes[2]).not.toBe(bytes[0])
  })
})

test('spans form traces: one root each, parents in the same trace that last longer', () => {
  const model = new Model(OPTIONS)
  const spans = recordsOf('traces', model.traces(3000, NOW)).map(({ record }) => record)
  const byId = new Map(spans.map((span) => [hex(span.spanId), span]))
  expect(byId.size).toBe(3000)
  let children = 0
  for (const span of spans) {
    expect(span.endTimeUnixNano as bigint).toBeGreaterThan(span.startTimeUnixNano as bigint)
    if (span.parentSpanId === undefined) continue
    const parent = byId.get(hex(span.parentSpanId))
    // The last trace may end in the next request, but parents come first.
    expect(parent).toBeDefined()
    expect(hex(span.traceId)).toBe(hex(parent!.traceId))
    expect(parent!.startTimeUnixNano as bigint).toBeLessThanOrEqual(span.startTimeUnixNano as bigint)
    expect(parent!.endTimeUnixNano as bigint).toBeGreaterThanOrEqual(span.endTimeUnixNano as bigint)
    children++
  }
  const traces = new Set(spans.map((span) => hex(span.traceId))).size
  expect(children).toBe(3000 - traces)
  const linked = spans.filter((span) => span.links !== undefined)
  expect(linked.length).toBeGreaterThan(10)
  for (const span of linked) expect(byId.has(hex((span.links as List)[0]!.spanId))).toBe(true)
})

test('error_ratio is the share of visits that fail, and a failure has its exception', () => {
  for (const errorRatio of [0, 0.25, 1]) {
    const spans = recordsOf('traces', new Model({ ...OPTIONS, errorRatio }).traces(5000, NOW)).map((r) => r.record)
    const failed = (span: PlainObject): boolean => (span.status as PlainObject | undefined)?.code === 2
    const visits = spans.filter((span) => span.parentSpanId === undefined && span.kind === 2)
    const exceptions = spans.filter((span) => span.events && JSON.stringify(names(span.events)).includes('exception'))
    // One exception a failed visit: what failed further up has none of its own.
    expect(exceptions.length / visits.length).toBeGreaterThanOrEqual(errorRatio * 0.8)
    expect(exceptions.length / visits.length).toBeLessThanOrEqual(errorRatio * 1.2)
    expect(exceptions.every(failed)).toBe(true)
  }
  function names(events: unknown): unknown[] {
    return (events as List).map(({ name }) => name)
  }
})

test('pii_ratio 0 leaves no mail address, card number or phone number anywhere, 1 leaves them in every trace', () => {
  const pii = /[\w.]+@[\w.]+\.(com|org|net)|\b(?:\d{4}[- ]?){4}\b|\+1-202-555/
  const text = (piiRatio: number): string => {
    const model = new Model({ ...OPTIONS, piiRatio })
    return ['traces', 'logs']
      .map((signal) => Buffer.from(model[signal as 'traces'](2000, NOW)).toString('latin1'))
      .join('')
  }
  expect(text(0)).not.toMatch(pii)
  const roots = recordsOf('traces', new Model({ ...OPTIONS, piiRatio: 1 }).traces(1000, NOW)).filter(
    ({ record }) => record.parentSpanId === undefined && record.kind === 2,
  )
  for (const { record } of roots) expect(attributesOf(record)['user.email']).toMatch(pii)
  expect(text(1)).toMatch(/card (\d{4}[- ]?){4} of/)
})

test('logs belong to spans that were sent before, of the same service', () => {
  const model = new Model(OPTIONS)
  const services = new Map(
    recordsOf('traces', model.traces(200, NOW)).map(({ record, resource }) => [
      hex(record.spanId),
      resource['service.name'],
    ]),
  )
  let known = 0
  for (const { record, resource } of recordsOf('logs', model.logs(200, NOW))) {
    const service = services.get(hex(record.spanId))
    if (service === undefined) continue // of the trace that the next request begins with
    known++
    expect(resource['service.name']).toBe(service)
  }
  expect(known).toBeGreaterThan(180)
})

test('all four kinds of metrics are there, and cumulative ones never fall', () => {
  const model = new Model(OPTIONS)
  const kinds = new Set<string>()
  const last = new Map<string, number>()
  for (let reading = 0; reading < 6; reading++) {
    const request = toPlain('metrics', model.metrics(150, NOW + reading * 1000))
    for (const resource of request.resourceMetrics as List) {
      for (const metric of (resource.scopeMetrics as List)[0]!.metrics as List) {
        const kind = ['gauge', 'sum', 'histogram', 'exponentialHistogram'].find((name) => metric[name])!
        kinds.add(kind)
        const data = metric[kind] as PlainObject
        for (const point of data.dataPoints as List) {
          if (kind.endsWith('istogram')) checkHistogram(point)
          const value = Number(point.count ?? point.asInt ?? point.asDouble)
          if (kind === 'gauge' || (kind === 'sum' && !data.isMonotonic)) continue
          const series = JSON.stringify(
            [metric.name, attributesOf(resource.resource as PlainObject)['service.instance.id'], attributesOf(point)],
            (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v),
          )
          expect(value).toBeGreaterThanOrEqual(last.get(series) ?? 0)
          last.set(series, value)
        }
      }
    }
  }
  expect([...kinds].sort()).toEqual(['exponentialHistogram', 'gauge', 'histogram', 'sum'])
})

function checkHistogram(point: PlainObject): void {
  const counts = (point.bucketCounts ?? (point.positive as PlainObject).bucketCounts) as bigint[]
  expect(counts.reduce((sum, count) => sum + count, 0n)).toBe(point.count)
  expect(point.sum).toBeGreaterThanOrEqual(point.min as number)
  if (point.explicitBounds) expect(counts.length).toBe((point.explicitBounds as number[]).length + 1)
}
