import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describe as describeBatch } from '../../../exporters/debug/exporter.ts'
import { durationText, enumText, quoted, table, timeText, valueText } from '../../../exporters/debug/text.ts'
import { type Batch, makeBatch, type Signal } from '../../../src/otlp/batch.ts'
import type { PlainObject } from '../../../src/otlp/plain-object.ts'
import { SEVERITIES, SPAN_KINDS } from '../../../src/otlp/schema-messages.ts'
import { arbitraryRequest } from '../../otlp/support/arbitraries.ts'
import { writeProtobufjs } from '../../otlp/support/oracles.ts'

const attribute = (key: string, value: PlainObject): PlainObject => ({ key, value })
const text = (stringValue: string): PlainObject => ({ stringValue })
const at = (ms: number, ns = 0): bigint => BigInt(Date.UTC(2026, 0, 31, 8, 15, 0, ms)) * 1_000_000n + BigInt(ns)
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

function batch(signal: Exclude<Signal, 'profiles'>, items: number, request: PlainObject): Batch {
  return makeBatch(signal, [writeProtobufjs(signal, request)], items, { arrivedAt: 0 })
}

const traces = batch('traces', 2, {
  resourceSpans: [
    {
      resource: { attributes: [attribute('service.name', text('checkout'))] },
      scopeSpans: [
        {
          scope: { name: 'shop.http', version: '1.2' },
          spans: [
            {
              traceId: bytes('5b8aa5a2d2c872e8321cf37308d69df2'),
              spanId: bytes('051581bf3cb55c13'),
              name: 'GET /cart',
              kind: 2,
              startTimeUnixNano: at(7),
              endTimeUnixNano: at(19, 340_000),
              attributes: [
                attribute('http.request.method', text('GET')),
                attribute('http.response.status_code', { intValue: 500n }),
              ],
              status: { code: 2, message: 'upstream\nfailed' },
              events: [{ timeUnixNano: at(18), name: 'exception', attributes: [attribute('n', { boolValue: true })] }],
            },
            {
              traceId: bytes('5b8aa5a2d2c872e8321cf37308d69df2'),
              spanId: bytes('1d8c93663d043aa8'),
              parentSpanId: bytes('051581bf3cb55c13'),
              name: 'SELECT',
              kind: 3,
              startTimeUnixNano: at(8),
              endTimeUnixNano: at(8, 950_000),
            },
          ],
        },
      ],
    },
  ],
})

describe('basic', () => {
  it('is a line with counts', () => {
    expect(describeBatch(traces, 'basic', 0)).toBe('traces: 2 spans, 1 resource')
    expect(describeBatch(makeBatch('logs', [], 1, { arrivedAt: 0 }), 'basic', 7)).toBe(
      'logs: 1 log record, 0 resources (7 batches before it not shown)',
    )
  })
})

describe('normal', () => {
  it('is a line a span, its columns below each other', () => {
    expect(describeBatch(traces, 'normal', 0).split('\n')).toEqual([
      'traces: 2 spans, 1 resource',
      'resource service.name="checkout"',
      '  scope shop.http 1.2',
      '    2026-01-31T08:15:00.007Z  12.3 ms  server  GET /cart  error upstream\\nfailed  trace=5b8aa5a2d2c872e8321cf37308d69df2 span=051581bf3cb55c13                          events=1 http.request.method="GET" http.response.status_code=500',
      '    2026-01-31T08:15:00.008Z  950 µs   client  SELECT                             trace=5b8aa5a2d2c872e8321cf37308d69df2 span=1d8c93663d043aa8 parent=051581bf3cb55c13',
    ])
  })

  it('is a line a data point, with what its kind has', () => {
    const points = { timeUnixNano: at(0) }
    const metrics = batch('metrics', 4, {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                { name: 'load', unit: '1', gauge: { dataPoints: [{ ...points, asDouble: 2 }] } },
                {
                  name: 'requests',
                  sum: {
                    aggregationTemporality: 2,
                    isMonotonic: true,
                    dataPoints: [{ ...points, asInt: 42n, attributes: [attribute('zone', text('a'))] }],
                  },
                },
                {
                  name: 'latency',
                  unit: 'ms',
                  histogram: {
                    aggregationTemporality: 1,
                    dataPoints: [
                      { ...points, count: 4n, sum: 12.5, bucketCounts: [3n, 0n, 1n], explicitBounds: [5, 10] },
                    ],
                  },
                },
                {
                  name: 'size',
                  summary: {
                    dataPoints: [{ ...points, count: 9n, sum: 1, quantileValues: [{ quantile: 0.99, value: 7 }] }],
                  },
                },
              ],
            },
          ],
        },
      ],
    })
    expect(describeBatch(metrics, 'normal', 0).split('\n')).toEqual([
      'metrics: 4 data points, 1 resource',
      'resource',
      '  scope',
      '    load      gauge                     2.0                                   2026-01-31T08:15:00.000Z',
      '    requests  sum cumulative monotonic  42                                    2026-01-31T08:15:00.000Z  zone="a"',
      '    latency   histogram delta           count=4 sum=12.5 ≤5:3 ≤10:0 >10:1 ms  2026-01-31T08:15:00.000Z',
      '    size      summary                   count=9 sum=1.0 p99=7.0               2026-01-31T08:15:00.000Z',
    ])
  })

  it('is a line a log record, whatever its body holds', () => {
    const logs = batch('logs', 2, {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                { timeUnixNano: at(1), severityNumber: 9, severityText: 'INFO', body: text('hello\u001b[31m') },
                {
                  observedTimeUnixNano: at(2),
                  severityNumber: 17,
                  body: { kvlistValue: { values: [attribute('user', text('a"b'))] } },
                },
              ],
            },
          ],
        },
      ],
    })
    expect(describeBatch(logs, 'normal', 0).split('\n').slice(3)).toEqual([
      '    2026-01-31T08:15:00.001Z  INFO   hello\\u001b[31m',
      '    2026-01-31T08:15:00.002Z  ERROR  {user: "a\\"b"}',
    ])
  })
})

describe('detailed', () => {
  it('shows every field', () => {
    expect(describeBatch(traces, 'detailed', 0).split('\n').slice(0, 30)).toEqual([
      'traces: 2 spans, 1 resource',
      'resource 1 of 1',
      '  attributes',
      '    service.name  "checkout"',
      '  scope 1 of 1',
      '    name     shop.http',
      '    version  1.2',
      '    span 1 of 2',
      '      trace id    5b8aa5a2d2c872e8321cf37308d69df2',
      '      span id     051581bf3cb55c13',
      '      name        GET /cart',
      '      kind        server',
      '      start time  2026-01-31T08:15:00.007Z',
      '      end time    2026-01-31T08:15:00.019340Z',
      '      duration    12.3 ms',
      '      attributes',
      '        http.request.method        "GET"',
      '        http.response.status_code  500',
      '      event 1 of 1',
      '        time  2026-01-31T08:15:00.018Z',
      '        name  exception',
      '        attributes',
      '          n  true',
      '      status',
      '        message  upstream\\nfailed',
      '        code     error',
      '    span 2 of 2',
      '      trace id        5b8aa5a2d2c872e8321cf37308d69df2',
      '      span id         1d8c93663d043aa8',
      '      parent span id  051581bf3cb55c13',
    ])
  })
})

describe('any valid request', () => {
  it.each(['traces', 'metrics', 'logs', 'profiles'] as const)('of %s prints without control characters', (signal) => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (request) => {
        const one = makeBatch(signal, [request.bytes], 1, { arrivedAt: 0 })
        for (const verbosity of ['basic', 'normal', 'detailed'] as const) {
          expect(describeBatch(one, verbosity, 0).replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('texts', () => {
  it('of times have as many digits as they need', () => {
    expect([at(7), at(7, 5000), at(7, 5), 0n, undefined].map(timeText)).toEqual([
      '2026-01-31T08:15:00.007Z',
      '2026-01-31T08:15:00.007005Z',
      '2026-01-31T08:15:00.007000005Z',
      '-',
      '-',
    ])
    expect(timeText(2n ** 64n - 1n)).toBe('2554-07-21T23:34:33.709551615Z')
  })

  it('of durations have three digits', () => {
    const durations = [0n, 999n, 1000n, 12_340n, 123_456n, 1_500_000_000n, 62_000_000_000n, 3_723_000_000_000n, -5n]
    expect(durations.map(durationText)).toEqual([
      '0 ns',
      '999 ns',
      '1 µs',
      '12.3 µs',
      '123 µs',
      '1.5 s',
      '1 m 2 s',
      '1 h 2 m 3 s',
      '-5 ns',
    ])
  })

  it('of values tell their type', () => {
    expect(valueText({ arrayValue: { values: [text('a'), { intValue: 1n }, { doubleValue: 1 }, {}] } })).toBe(
      '["a", 1, 1.0, (empty)]',
    )
    expect(valueText({ bytesValue: bytes('00ff') })).toBe('0x00ff')
    expect(quoted('a\\"\u009b\n')).toBe('"a\\\\\\"\\u009b\\n"')
  })

  it('of enums leave out what all have in common', () => {
    expect([0, 2, 9].map((value) => enumText(SPAN_KINDS, value))).toEqual(['unspecified', 'server', '9'])
    expect(enumText(SEVERITIES, 10)).toBe('info2')
  })

  it('stand below each other without empty columns', () => {
    expect(
      table([
        ['a', '', 'x'],
        ['bbb', '', 'y'],
      ]),
    ).toEqual(['a    x', 'bbb  y'])
  })
})
