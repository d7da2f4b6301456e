import { expect, test } from 'vitest'
import { exposition, expositionOptions } from '../../src/telemetry/exposition.ts'
import { MeterRegistry, type Reading } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { views } from '../../src/telemetry/views.ts'
import { wildcard } from '../../src/telemetry/wildcard.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'

function readings(fill: (meter: SharedMeter) => void): Reading[] {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  fill(new SharedMeter(memory, registry.attach(memory)))
  return registry.read()
}

const some = readings((meter) => {
  const spans = { description: 'Spans.', unit: '{spans}' }
  meter.counter('otelcol_spans', { exporter: 'a', zone: 'n' }, spans).add(3)
  meter.counter('otelcol_spans', { exporter: 'a', zone: 's' }, spans).add(4)
  meter.gauge('otelcol_size', {}, { description: 'Size.', unit: 'By' }).set(7)
  const sizes = meter.histogram('sizes', {}, { description: 'Sizes.', unit: 'By', boundaries: [10, 100] })
  for (const size of [0, 8, 16, 1000]) sizes.record(size)
})

const through = (...configs: object[]): string =>
  exposition(views(ownTelemetry({ metrics: { level: 'detailed', views: configs } }).metrics.views, '1')(some))

test('an instrument is renamed, and loses attributes: what is alike then adds up', () => {
  expect(
    through(
      {
        selector: { instrument_name: 'otelcol_sp*', instrument_type: 'counter', meter_name: 'sluice' },
        stream: { name: 'all_spans', description: 'All.', attribute_keys: { excluded: ['zone'] } },
      },
      { selector: { instrument_name: '*size*' }, stream: { aggregation: { drop: {} } } },
    ),
  ).toBe('# HELP all_spans All.\n# TYPE all_spans counter\nall_spans{exporter="a"} 7\n')
})

test('buckets of a view come from the exponential form; other scopes and types are not meant', () => {
  const text = through(
    {
      selector: { instrument_name: 'sizes' },
      stream: { aggregation: { explicit_bucket_histogram: { boundaries: [0, 8, 500] } } },
    },
    { selector: { meter_name: 'other' }, stream: { aggregation: { drop: {} } } },
    { selector: { instrument_type: 'observable_counter' }, stream: { aggregation: { drop: {} } } },
  )
  // 0 at 0; 8 at 8, a power of two and so a bound; 16 below 500; 1000 above.
  expect([...text.matchAll(/^sizes_bucket\{le="(.+)"\} (\d+)$/gm)].map(([, le, n]) => [le, Number(n)])).toEqual([
    ['0', 1],
    ['8', 2],
    ['500', 3],
    ['+Inf', 4],
  ])
  expect(text).toContain('otelcol_spans{exporter="a",zone="n"} 3')
})

test('a histogram becomes its sum, and the exponential form no finer than asked', () => {
  const apply = (aggregation: object): Reading =>
    views(
      ownTelemetry({
        metrics: { level: 'detailed', views: [{ selector: { instrument_name: 'sizes' }, stream: { aggregation } }] },
      }).metrics.views,
      '1',
    )(some).find(({ name }) => name === 'sizes')!
  expect(apply({ sum: {} })).toMatchObject({ kind: 'counter', value: 0 + 8 + 16 + 1000 })
  const coarse = apply({ base2_exponential_bucket_histogram: { max_scale: 0, max_size: 4 } })
  // Scale 0 would need the buckets 2 (of 8) to 9 (of 1000); four of them hold that at scale -1: 1 to 4.
  expect(coarse).toMatchObject({
    form: 'exponential',
    value: { count: 4, exponential: { scale: -1, zeroes: 1, offset: 1, counts: [2, 0, 0, 1] } },
  })
})

test('the last value as a gauge, minimum and maximum left out, and scopes told apart', () => {
  const apply = (stream: object, selector: object = { instrument_name: 'sizes' }): Reading =>
    views(
      ownTelemetry({ metrics: { level: 'detailed', views: [{ selector, stream }] } }).metrics.views,
      '1',
    )(some).find(({ name }) => name === 'sizes')!
  expect(apply({ aggregation: { last_value: {} } })).toMatchObject({ kind: 'gauge', value: 1024 })
  const minMax = (kind: string, more: object): unknown =>
    (apply({ aggregation: { [kind]: more } }) as { minMax?: boolean }).minMax
  for (const kind of ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram']) {
    expect([minMax(kind, {}), minMax(kind, { record_min_max: false })]).toEqual([true, false])
  }
  const gauge = { aggregation: { last_value: {} } }
  expect(apply(gauge, { instrument_name: 'sizes', meter_version: '1', meter_schema_url: '' }).kind).toBe('gauge')
  expect(apply(gauge, { instrument_name: 'sizes', meter_version: '2' }).kind).toBe('histogram')
  expect(apply(gauge, { instrument_name: 'sizes', meter_schema_url: 'https://x' }).kind).toBe('histogram')
})

test('units, types, scope and resource are written where a reader asks for them', () => {
  const options = (prometheus: object): Parameters<typeof exposition>[1] => {
    const { readers } = ownTelemetry({ metrics: { readers: [{ pull: { exporter: { prometheus } } }] } }).metrics
    return expositionOptions(readers[0]!.pull!.exporter.prometheus!, { 'service.name': 'x', zone: 'eu' }, '1.2')
  }
  const [spans] = some.filter(({ name }) => name === 'otelcol_spans')
  const size = some.find(({ name }) => name === 'otelcol_size')!
  const line = (reading: Reading, prometheus: object, utf8 = false): string =>
    exposition([reading], options(prometheus), utf8).split('\n').at(-2)!
  expect(line(spans!, { without_type_suffix: false })).toBe('otelcol_spans_total{exporter="a",zone="n"} 3')
  expect(line(size, { without_units: false })).toBe('otelcol_size_bytes 7')
  expect(line(size, { without_scope_info: false })).toBe(
    'otelcol_size{otel_scope_name="sluice",otel_scope_schema_url="",otel_scope_version="1.2"} 7',
  )
  expect(line(size, { with_resource_constant_labels: { included: ['service.*', 'zone'], excluded: ['z*'] } })).toBe(
    'otelcol_size{service_name="x"} 7',
  )
  const dotted = { ...size, name: 'http.size', unit: 's', kind: 'counter', value: 1 } as Reading
  expect(line(dotted, { translation_strategy: 'UnderscoreEscapingWithSuffixes' })).toBe('http_size_seconds_total 1')
  expect(line(dotted, { translation_strategy: 'UnderscoreEscapingWithoutSuffixes' })).toBe('http_size 1')
  expect(line(dotted, { translation_strategy: 'NoUTF8EscapingWithSuffixes' }, true)).toBe(
    '{"http.size_seconds_total"} 1',
  )
  expect(line(dotted, { translation_strategy: 'NoTranslation' }, true)).toBe('{"http.size"} 1')
  expect(line(dotted, { translation_strategy: 'NoTranslation' })).toBe('http_size 1')
})

test('wildcards', () => {
  const fits = wildcard(['otelcol_*_sp?ns', 'x'])
  expect(['otelcol_a_spans', 'otelcol__spxns', 'x', 'xx', 'otelcol_spans'].map(fits)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})
