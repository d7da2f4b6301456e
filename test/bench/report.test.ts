import { expect, test } from 'vitest'
import { CASES } from '../../bench/cases.ts'
import { readGrpcGo, readH2load } from '../../bench/generators.ts'
import { Histogram } from '../../bench/load/histogram.ts'
import { type EngineResult, lineOf } from '../../bench/report/figures.ts'
import { page } from '../../bench/report/html.ts'
import { lines, roundTicks } from '../../bench/report/plots.ts'
import { remarks, table } from '../../bench/report/table.ts'
import { judge } from '../../bench/report/targets.ts'

const latency = new Histogram()
for (let ms = 1; ms < 200; ms++) latency.record(ms)

const engine = (name: string, perSecond: readonly number[], lost = 0, load = 50): EngineResult => ({
  engine: name,
  runs: perSecond.map((items) => ({
    figures: {
      items_per_cpu_s: items,
      cpu_us_per_item: 1e6 / items,
      p50_ms: 8,
      peak_rss_mib: 170,
      lost,
      load_percent: load,
    },
    latency: latency.data(),
    memory: [
      { ms: 100, rssMib: 150 },
      { ms: 200, rssMib: 170 },
    ],
  })),
})

const RESULTS = [engine('sluice', [1_500_000, 1_400_000, 1_000_000], 3), engine('otelcol', [250_000, 200_000, 200_000])]
const SPANS = CASES.find(({ name }) => name === 'spans-grpc')!

test('a line of JSON has every figure of the schema: medians, the sum of what was lost, null for what was not measured', () => {
  const line = lineOf('spans-grpc', RESULTS[0]!)
  expect(Object.keys(line)).toEqual([
    'case',
    'engine',
    'items_per_cpu_s',
    'cpu_us_per_item',
    'acked_per_s',
    'delivered_per_s',
    'p50_ms',
    'p99_ms',
    'p999_ms',
    'peak_rss_mib',
    'alloc_bytes_per_item',
    'lost',
    'load_percent',
    'runs',
  ])
  expect(line).toMatchObject({
    case: 'spans-grpc',
    engine: 'sluice',
    items_per_cpu_s: 1_400_000,
    p99_ms: null,
    lost: 9,
  })
  expect(line['runs']).toHaveLength(3)
  expect(JSON.stringify(line)).not.toContain('\n')
})

test('a ratio is taken from pairs of one repeat', () => {
  // 6, 7 and 5; the medians' quotient would be 7.
  const verdict = judge({ figure: 'items_per_cpu_s', than: 'otelcol', atLeastTimes: 6 }, RESULTS)!
  expect(verdict.value).toEqual({ median: 6, min: 5, max: 7 })
  expect(verdict.reached).toBe(true)
  expect(verdict.text).toBe('items_per_cpu_s 6.00 (5.00–7.00)x that of otelcol; target ≥ 6x: reached')
})

test('where an engine has no figure in one repeat, the others are still paired with theirs', () => {
  const delivered = engine('rotel', [1, 350_000, 500_000])
  const runs = delivered.runs.map((run, i) => (i === 0 ? { ...run, figures: { lost: 0 } } : run))
  const verdict = judge({ figure: 'items_per_cpu_s', than: 'rotel', atLeastTimes: 3 }, [
    RESULTS[0]!,
    { ...delivered, runs },
  ])
  // 1.4 M over 350 k, 1.0 M over 500 k.
  expect(verdict?.value).toEqual({ median: 3, min: 2, max: 4 })
})

test('targets are judged in their direction, and only where they were measured', () => {
  expect(judge({ figure: 'peak_rss_mib', atMost: 200 }, RESULTS)?.reached).toBe(true)
  expect(judge({ figure: 'peak_rss_mib', atMost: 160 }, RESULTS)?.reached).toBe(false)
  expect(judge({ figure: 'p50_ms', atLeast: 9 }, RESULTS)?.text).toBe('p50_ms 8.00; target ≥ 9: MISSED')
  expect(judge({ figure: 'peak_rss_mib', than: 'otelcol', atMostTimes: 1.15 }, RESULTS)?.reached).toBe(true)
  expect(judge({ figure: 'items_per_cpu_s', than: 'rotel', atLeastTimes: 6 }, RESULTS)).toBeUndefined()
  expect(judge({ figure: 'start_ms', atMost: 300 }, RESULTS)).toBeUndefined()
})

test('the table says when the load sets the pace', () => {
  expect(table(RESULTS)[1]).toContain('1400 (1000–1500)')
  expect(remarks([], RESULTS)).toEqual([])
  expect(remarks([], [engine('sluice', [1], 0, 93)])).toEqual([
    'the load was 93 % busy with sluice: it sets the pace there; read CPU per item, not rates',
  ])
})

test('the page needs nothing but itself, and shows ratios, latency and memory', () => {
  const html = page('node 24 <here>', [{ spec: SPANS, results: RESULTS, notes: ['a note & more'] }])
  expect(html).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|\shref="(?!#)|url\(|@import/i)
  expect(html.match(/https?:\/\/[^"]*/g)?.every((address) => address === 'http://www.w3.org/2000/svg')).toBe(true)
  expect(html.match(/<svg /g)).toHaveLength(3)
  expect(html.match(/<svg /g)?.length).toBe(html.match(/<\/svg>/g)?.length)
  expect(html).not.toContain('NaN')
  expect(html).toContain('node 24 &#60;here&#62;')
  expect(html).toContain('a note &#38; more')
  expect(html).toContain('6.00x ✓ ≥ 6x')
  expect(html).toContain('<td>1400 <small>(1000–1500)</small></td>')
  expect(html).toContain('prefers-color-scheme: dark')
})

test('axes end at round numbers, in at most five steps', () => {
  expect(roundTicks(959)).toEqual([0, 200, 400, 600, 800, 1000])
  expect(roundTicks(1000)).toEqual([0, 200, 400, 600, 800, 1000])
  expect(roundTicks(0.23)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25].map((tick) => expect.closeTo(tick, 9)))
  expect(roundTicks(7)).toEqual([0, 2, 4, 6, 8])
  expect(roundTicks(0)).toEqual([0, 1])
})

test('no peak of a long run is left out of its plot', () => {
  const points = Array.from({ length: 36_000 }, (_, i) => [i, i === 17_777 ? 999 : 100] as const)
  const plot = lines('memory', [{ engine: 'sluice', points }], { x: 's', y: 'MiB' })
  // From 290 less the axis below to 62 above: 999 of 1000 is near the top.
  expect(plot).toMatch(/L[\d.]+ 62\.2/)
  expect(plot.length).toBeLessThan(20_000)
})

test('a page without anything measured is still one', () => {
  expect(page('here', [])).not.toContain('<svg')
  expect(page('here', [{ spec: SPANS, results: [], notes: [] }])).toContain('spans-grpc')
})

test('what other generators say is read', () => {
  const h2load = [
    'finished in 1.01s, 91.00 req/s, 70.41MB/s',
    'requests: 100 total, 107 started, 100 done, 91 succeeded, 6 failed, 2 errored, 1 timeout',
  ].join('\n')
  expect(readH2load(h2load)).toEqual({ acknowledged: 91, failed: 9 })
  expect(() => readH2load('')).toThrow('did not say')
  expect(readGrpcGo('{"acknowledged":5,"failed":1,"error":"x"}\n')).toEqual({ acknowledged: 5, failed: 1 })
})
