import { expect, test } from 'vitest'
import { exposition } from '../../src/telemetry/exposition.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'

function meterOf(registry: MeterRegistry): SharedMeter {
  const memory = SharedMeter.memory()
  return new SharedMeter(memory, registry.attach(memory))
}

test('series of several meters add up, one line each, one head a family', () => {
  const registry = new MeterRegistry()
  const options = { description: 'Number of spans.', unit: '{spans}' }
  const [a, b] = [meterOf(registry), meterOf(registry)]
  a.counter('otelcol_x', { receiver: 'otlp', transport: 'grpc' }, options).add(2)
  b.counter('otelcol_x', { transport: 'grpc', receiver: 'otlp' }, options).add(3)
  b.counter('otelcol_x', { receiver: 'otlp/2', transport: 'http' }, options).add(7)
  b.gauge('a_gauge', {}, { description: 'A gauge.' }).set(1.5)

  expect(exposition(registry.read())).toBe(`# HELP a_gauge A gauge.
# TYPE a_gauge gauge
a_gauge 1.5
# HELP otelcol_x Number of spans.
# TYPE otelcol_x counter
otelcol_x{receiver="otlp",transport="grpc"} 5
otelcol_x{receiver="otlp/2",transport="http"} 7
`)
})

test('label values and help texts are escaped as the format asks', () => {
  const registry = new MeterRegistry()
  meterOf(registry).counter('c', { 'otel.signal': 'a"b\\c\nd' }, { description: 'two\nlines \\ slash' }).add(1)
  expect(exposition(registry.read())).toBe(
    '# HELP c two\\nlines \\\\ slash\n# TYPE c counter\nc{otel_signal="a\\"b\\\\c\\nd"} 1\n',
  )
})

test('the same name and labels are the same series; a full meter gives instruments that count nowhere', () => {
  const registry = new MeterRegistry()
  const meter = meterOf(registry)
  meter.counter('n', { a: '1' }, { description: 'd' }).add(1)
  meter.counter('n', { a: '1' }, { description: 'd' }).add(1)
  expect(registry.read().map(({ value }) => value)).toEqual([2])

  for (let i = 0; !meter.overflowed; i++) meter.counter('many', { i: String(i) }, { description: 'd' }).add(1)
  const before = registry.read().length
  meter.counter('one_too_many', {}, { description: 'd' }).add(1)
  expect(registry.read()).toHaveLength(before)
  expect(registry.read().find(({ name }) => name === 'n')?.value).toBe(2)
})

test('a histogram has the buckets that it was made with, cumulated over the lanes', () => {
  const registry = new MeterRegistry()
  const options = { description: 'Sizes.', unit: 'By', boundaries: [10, 100] }
  const [a, b] = [meterOf(registry), meterOf(registry)]
  for (const size of [10, 11, 500]) a.histogram('h', { p: 'x' }, options).record(size)
  b.histogram('h', { p: 'x' }, options).record(7)
  expect(exposition(registry.read())).toBe(`# HELP h Sizes.
# TYPE h histogram
h_bucket{p="x",le="10"} 2
h_bucket{p="x",le="100"} 3
h_bucket{p="x",le="+Inf"} 4
h_sum{p="x"} 528
h_count{p="x"} 4
`)
})

test('below its level an instrument is not there, and costs no series', () => {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory), 'normal')
  meter.counter('always', {}, { description: 'd', level: 'none' }).add(1)
  meter.counter('normal', {}, { description: 'd', level: 'normal' }).add(1)
  meter.counter('detailed', {}, { description: 'd', level: 'detailed' }).add(1)
  meter.histogram('sizes', {}, { description: 'd', level: 'detailed', boundaries: [1] }).record(1)
  expect(registry.read().map(({ name }) => name)).toEqual(['always', 'normal'])
  expect([meter.enabled('basic'), meter.enabled('normal'), meter.enabled('detailed')]).toEqual([true, true, false])
})
