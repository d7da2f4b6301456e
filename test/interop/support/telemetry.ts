/** One request per signal with every field that a well-behaved client can set, and a form to compare them in. */
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import type { Stable } from '../../support/otlp-services.ts'

const TIME = 1_760_000_000_123_456_789n

const text = (key: string, stringValue: string): PlainObject => ({ key, value: { stringValue } })

/** Every kind of value, nested ones and such as other languages' JSON would bend. */
const ATTRIBUTES: PlainObject[] = [
  text('text', 'grüße, 世界 🛰'),
  text('empty', ''),
  { key: 'yes', value: { boolValue: true } },
  { key: 'no', value: { boolValue: false } },
  { key: 'large', value: { intValue: 9_007_199_254_740_993n } },
  { key: 'least', value: { intValue: -(2n ** 63n) } },
  { key: 'double', value: { doubleValue: 0.1 } },
  { key: 'nan', value: { doubleValue: Number.NaN } },
  { key: 'bytes', value: { bytesValue: Uint8Array.of(0, 255, 128) } },
  { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1n }] } } },
  { key: 'map', value: { kvlistValue: { values: [text('inner', 'x')] } } },
]

const resource = (service: string): PlainObject => ({
  resource: { attributes: [text('service.name', service), text('host.name', 'h-1')], droppedAttributesCount: 2 },
  schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
})
const SCOPE: PlainObject = {
  scope: { name: 'shop/http', version: '1.2.3', attributes: [text('scoped', 'yes')], droppedAttributesCount: 1 },
  schemaUrl: 'https://opentelemetry.io/schemas/1.36.0',
}
const id = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)

function spans(marker: string): PlainObject[] {
  const span: PlainObject = {
    traceId: id(16, 7),
    spanId: id(8, 1),
    parentSpanId: id(8, 2),
    traceState: 'vendor=1,ot=th:8',
    flags: 0x301,
    name: `GET /cart ${marker}`,
    kind: 2,
    startTimeUnixNano: TIME,
    endTimeUnixNano: TIME + 5_000_001n,
    attributes: ATTRIBUTES,
    droppedAttributesCount: 3,
    events: [{ timeUnixNano: TIME + 7n, name: 'exception', attributes: ATTRIBUTES, droppedAttributesCount: 1 }],
    droppedEventsCount: 4,
    links: [
      {
        traceId: id(16, 9),
        spanId: id(8, 9),
        traceState: 'a=b',
        attributes: ATTRIBUTES,
        droppedAttributesCount: 1,
        flags: 1,
      },
    ],
    droppedLinksCount: 5,
    status: { message: 'timed out', code: 2 },
  }
  // Without `status` the Go Collector would write an empty one.
  const bare: PlainObject = { traceId: id(16, 7), spanId: id(8, 3), name: `bare ${marker}`, status: {} }
  return [span, bare]
}

function metrics(marker: string): PlainObject[] {
  const point: PlainObject = { attributes: ATTRIBUTES, startTimeUnixNano: TIME, timeUnixNano: TIME + 1n }
  const exemplars: PlainObject[] = [
    {
      filteredAttributes: [text('user', '7')],
      timeUnixNano: TIME,
      spanId: id(8, 1),
      traceId: id(16, 7),
      asDouble: 1.5,
    },
    { timeUnixNano: TIME, asInt: -3n },
  ]
  const metric = (name: string, data: PlainObject): PlainObject => ({
    name: `${name} ${marker}`,
    description: 'what it is',
    unit: 'By',
    metadata: [text('origin', 'test')],
    ...data,
  })
  return [
    metric('gauge', {
      gauge: {
        dataPoints: [
          { ...point, asDouble: -0.5 },
          { ...point, flags: 1 },
        ],
      },
    }),
    metric('sum', {
      sum: { dataPoints: [{ ...point, asInt: 42n, exemplars }], aggregationTemporality: 2, isMonotonic: true },
    }),
    metric('histogram', {
      histogram: {
        dataPoints: [
          {
            ...point,
            count: 3n,
            sum: 6.5,
            bucketCounts: [1n, 0n, 2n],
            explicitBounds: [1, 5],
            exemplars,
            min: 0,
            max: 9,
          },
        ],
        aggregationTemporality: 1,
      },
    }),
    metric('exponential', {
      exponentialHistogram: {
        dataPoints: [
          {
            ...point,
            count: 4n,
            sum: -1,
            scale: -3,
            zeroCount: 1n,
            positive: { offset: -2, bucketCounts: [1n, 1n] },
            negative: { offset: 5, bucketCounts: [1n] },
            min: -9,
            max: 1,
            zeroThreshold: 0.001,
          },
        ],
        aggregationTemporality: 2,
      },
    }),
    metric('summary', {
      summary: {
        dataPoints: [
          {
            ...point,
            count: 2n,
            sum: 3,
            quantileValues: [
              { quantile: 0.5, value: 1 },
              { quantile: 1, value: 2 },
            ],
          },
        ],
      },
    }),
  ]
}

function logRecords(marker: string): PlainObject[] {
  return [
    {
      timeUnixNano: TIME,
      observedTimeUnixNano: TIME + 1n,
      severityNumber: 17,
      severityText: 'ERROR',
      body: { stringValue: `card refused ${marker}` },
      attributes: ATTRIBUTES,
      droppedAttributesCount: 1,
      flags: 1,
      traceId: id(16, 7),
      spanId: id(8, 1),
      eventName: 'payment.refused',
    },
    { observedTimeUnixNano: TIME, body: { kvlistValue: { values: ATTRIBUTES } } },
  ]
}

/** A request with two resources; `marker` makes it tell apart from the others of a test. */
export function richRequest(signal: Stable, marker: string): PlainObject {
  switch (signal) {
    case 'traces':
      return {
        resourceSpans: ['cart', 'pay'].map((name) => ({
          ...resource(name),
          scopeSpans: [{ ...SCOPE, spans: spans(`${marker} ${name}`) }],
        })),
      }
    case 'metrics':
      return {
        resourceMetrics: ['cart', 'pay'].map((name) => ({
          ...resource(name),
          scopeMetrics: [{ ...SCOPE, metrics: metrics(`${marker} ${name}`) }],
        })),
      }
    case 'logs':
      return {
        resourceLogs: ['cart', 'pay'].map((name) => ({
          ...resource(name),
          scopeLogs: [{ ...SCOPE, logRecords: logRecords(`${marker} ${name}`) }],
        })),
      }
  }
}

const LEVELS: Readonly<Record<Stable, readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
}

/**
 * Every record with its scope and resource as one line of text, sorted: what stays the same however requests are joined,
 * split or reordered on their way.
 */
export function recordLines(signal: Stable, requests: readonly PlainObject[]): string[] {
  const [resources, scopes, records] = LEVELS[signal]
  const lines = requests.flatMap((request) =>
    list(request[resources]).flatMap(({ [scopes]: inner, ...resource }) =>
      list(inner).flatMap(({ [records]: leaves, ...scope }) =>
        list(leaves).map((record) => JSON.stringify({ resource, scope, record }, readable)),
      ),
    ),
  )
  return lines.sort()
}

/** How many spans, data points or log records requests hold. */
export function itemsOf(signal: Stable, requests: readonly PlainObject[]): number {
  const [resources, scopes, records] = LEVELS[signal]
  const leaves = requests.flatMap((request) =>
    list(request[resources]).flatMap((resource) => list(resource[scopes]).flatMap((scope) => list(scope[records]))),
  )
  if (signal !== 'metrics') return leaves.length
  const data = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']
  const points = leaves.flatMap((metric) => data.flatMap((kind) => list((metric[kind] as PlainObject)?.dataPoints)))
  return points.length
}

/** What of two lists of lines is not in the other, the first few of it: nothing, where the same records came as often. */
export function differences(
  expected: readonly string[],
  arrived: readonly string[],
): Record<string, readonly string[]> {
  return { missing: without(expected, arrived).slice(0, 3), unexpected: without(arrived, expected).slice(0, 3) }
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

function list(field: PlainField | undefined): PlainObject[] {
  return (field ?? []) as PlainObject[]
}

function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return Object.is(value, -0) ? '-0' : value
}
