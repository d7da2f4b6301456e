import { expect, onTestFinished, test } from 'vitest'
import { PeriodicReader } from '../../src/telemetry/periodic-reader.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'
import { eventually } from '../support/sluice.ts'

interface Rig {
  readonly meter: SharedMeter
  readonly clock: FakeClock
  readonly backend: Backend
  readonly reader: PeriodicReader
  readonly failures: string[]
}

async function rig(otlp: object, endpoint: (backend: Backend) => string): Promise<Rig> {
  const backend = await startBackend()
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory))
  const clock = new FakeClock()
  const failures: string[] = []
  const { readers } = ownTelemetry({
    metrics: {
      readers: [{ periodic: { interval: 1000, exporter: { otlp: { endpoint: endpoint(backend), ...otlp } } } }],
    },
  }).metrics
  const reader = new PeriodicReader({
    config: readers[0]!.periodic!,
    clock,
    resource: { attributes: { 'service.name': 'me' }, schemaUrl: '' },
    version: '9',
    startedAt: clock.now(),
    read: () => registry.read(),
    failed: (reason) => void failures.push(reason),
  })
  await reader.start()
  onTestFinished(async () => {
    await reader.stop(100)
    await backend.stop()
  })
  return { meter, clock, backend, reader, failures }
}

// The request as protobufjs reads it: 64-bit numbers are texts there.
interface Point {
  asInt?: string
  startTimeUnixNano: string
  count?: string
  sum?: number
  scale?: number
  zeroCount?: string
  positive?: { offset: number; bucketCounts: string[] }
  bucketCounts?: string[]
  explicitBounds?: number[]
}
interface Metric {
  name: string
  unit: string
  sum?: { aggregationTemporality: unknown; isMonotonic: boolean; dataPoints: Point[] }
  histogram?: { dataPoints: Point[] }
  exponentialHistogram?: { aggregationTemporality: unknown; dataPoints: Point[] }
}

async function next(backend: Backend, nth: number): Promise<Record<string, Metric>> {
  const { request } = await eventually('an export', () => backend.received[nth - 1])
  const { resourceMetrics } = JSON.parse(
    JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  ) as {
    resourceMetrics: {
      resource: { attributes: unknown }
      scopeMetrics: { scope: { name: string; version: string }; metrics: Metric[] }[]
    }[]
  }
  expect(JSON.stringify(resourceMetrics[0]!.resource.attributes)).toContain('service.name')
  expect(resourceMetrics[0]!.scopeMetrics[0]!.scope).toMatchObject({ name: 'sluice', version: '9' })
  return Object.fromEntries(resourceMetrics[0]!.scopeMetrics[0]!.metrics.map((metric) => [metric.name, metric]))
}

const COUNTER = { description: 'd', unit: '{spans}' }
const SIZES = { description: 'd', unit: 'By', boundaries: [4, 16] }

test('totals leave every interval over HTTP, histograms in the exponential form', async () => {
  const { meter, clock, backend } = await rig({}, ({ http }) => http)
  const counter = meter.counter('c', { a: 'b' }, COUNTER)
  const sizes = meter.histogram('h', {}, SIZES)
  counter.add(5)
  for (const size of [0, 2, 8]) sizes.record(size)
  await clock.advance(1000)
  const first = await next(backend, 1)
  expect(first['c']!.sum!.isMonotonic).toBe(true)
  expect(first['c']!.sum!.dataPoints[0]!.asInt).toBe('5')
  const [point] = first['h']!.exponentialHistogram!.dataPoints
  expect([point!.count, point!.sum, point!.zeroCount]).toEqual(['3', 10, '1'])
  const counts = point!.positive!.bucketCounts.map(Number)
  expect(counts.reduce((a, b) => a + b, 0)).toBe(2)
  counter.add(1)
  await clock.advance(1000)
  const second = await next(backend, 2)
  expect(second['c']!.sum!.dataPoints[0]).toMatchObject({
    asInt: '6',
    startTimeUnixNano: first['c']!.sum!.dataPoints[0]!.startTimeUnixNano,
  })
})

test('deltas leave over gRPC with explicit buckets, and what did not arrive is told by the next', async () => {
  const { meter, clock, backend, failures } = await rig(
    {
      protocol: 'grpc',
      compression: 'gzip',
      temporality_preference: 'delta',
      default_histogram_aggregation: 'explicit_bucket_histogram',
      headers: [{ name: 'X-Key', value: 'k' }],
    },
    ({ grpc }) => `http://${grpc}`,
  )
  const counter = meter.counter('c', {}, COUNTER)
  const sizes = meter.histogram('h', {}, SIZES)
  const level = meter.upDownCounter('u', {}, COUNTER)
  counter.add(5)
  level.add(3)
  sizes.record(2)
  await clock.advance(1000)
  await next(backend, 1)
  await clock.advance(0)
  counter.add(2)
  sizes.record(20)
  sizes.record(3)
  await eventually('the first export is over', () => true)
  await clock.advance(1000)
  const second = await next(backend, 2)
  expect(second['c']!.sum!.dataPoints[0]!.asInt).toBe('2')
  // What also shrinks is always a total.
  expect(second['u']!.sum!.dataPoints[0]!.asInt).toBe('3')
  expect(second['h']!.histogram!.dataPoints[0]).toMatchObject({
    count: '2',
    bucketCounts: ['1', '0', '1'],
    explicitBounds: [4, 16],
  })
  expect(failures).toEqual([])
})

test('a stop sends what there is', async () => {
  const { meter, backend, reader } = await rig({}, ({ http }) => http)
  meter.counter('c', {}, COUNTER).add(1)
  await reader.stop(1000)
  expect(backend.received).toHaveLength(1)
})

test('an export that fails is said, and its deltas are told again', async () => {
  const { meter, clock, backend, reader, failures } = await rig(
    { temporality_preference: 'delta' },
    ({ http }) => `${http}/none`,
  )
  meter.counter('c', {}, COUNTER).add(1)
  await clock.advance(1000)
  await eventually('the failure', () => failures[0])
  expect(failures).toEqual(['HTTP 404'])
  expect(backend.received).toEqual([])
  await reader.stop(10)
})
