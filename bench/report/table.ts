/** What people read of a case. */
import type { Target } from '../cases.ts'
import { type EngineResult, type FigureName, valuesOf } from './figures.ts'
import { show, spread } from './statistics.ts'
import { judge } from './targets.ts'

/** Above this the load, not the engine, is what sets the pace: read the CPU figures and not the rates. */
const LOAD_IS_THE_LIMIT = 80

const COLUMNS: readonly {
  readonly title: string
  readonly figure: FigureName
  readonly per?: number
  readonly digits: number
}[] = [
  { title: 'k items/CPU s', figure: 'items_per_cpu_s', per: 1000, digits: 0 },
  { title: 'µs CPU/item', figure: 'cpu_us_per_item', digits: 3 },
  { title: 'k out/s', figure: 'delivered_per_s', per: 1000, digits: 0 },
  { title: 'CPU %', figure: 'cpu_percent', digits: 1 },
  { title: 'load %', figure: 'load_percent', digits: 0 },
  { title: 'p50 ms', figure: 'p50_ms', digits: 2 },
  { title: 'p99 ms', figure: 'p99_ms', digits: 1 },
  { title: 'p99.9 ms', figure: 'p999_ms', digits: 1 },
  { title: 'peak RSS MiB', figure: 'peak_rss_mib', digits: 0 },
  { title: 'heap B/item', figure: 'alloc_bytes_per_item', digits: 0 },
  { title: 'out B/item', figure: 'out_bytes_per_item', digits: 0 },
  { title: 'start ms', figure: 'start_ms', digits: 0 },
  { title: 'share delivered', figure: 'delivered_share', digits: 2 },
  { title: 'refused', figure: 'refused_requests', digits: 0 },
  { title: 'lost', figure: 'lost', digits: 0 },
]

/** A row of titles and one for each engine, with the columns that the case has. */
export function rows(results: readonly EngineResult[]): readonly (readonly string[])[] {
  const columns = COLUMNS.filter(({ figure }) => results.some(({ runs }) => valuesOf(figure, runs).length > 0))
  return [
    ['', ...columns.map(({ title }) => title)],
    ...results.map(({ engine, runs }) => [
      engine,
      ...columns.map(({ figure, per = 1, digits }) => {
        const values = valuesOf(figure, runs).map((value) => value / per)
        return values.length === 0 ? '–' : show(spread(values), digits)
      }),
    ]),
  ]
}

/** The same as lines of text. */
export function table(results: readonly EngineResult[]): string[] {
  const all = rows(results)
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  )
}

/** What the figures mean: ratios, targets, and where the load was the limit. */
export function remarks(targets: readonly Target[], results: readonly EngineResult[]): string[] {
  const verdicts = targets.flatMap((target) => judge(target, results)?.text ?? [])
  const limits = results.flatMap(({ engine, runs }) => {
    const busy = Math.max(0, ...valuesOf('load_percent', runs))
    return busy > LOAD_IS_THE_LIMIT
      ? [`the load was ${busy.toFixed(0)} % busy with ${engine}: it sets the pace there; read CPU per item, not rates`]
      : []
  })
  return [...verdicts, ...limits]
}
