/** The suite as one page that needs nothing else: no script, no style sheet, no image from anywhere. */
import type { Case } from '../cases.ts'
import { Histogram } from '../load/histogram.ts'
import type { EngineResult, Run } from './figures.ts'
import { ratiosOf } from './figures.ts'
import { type Bar, bars, escapeHtml, type Line, lines } from './plots.ts'
import { spread } from './statistics.ts'
import { remarks, table } from './table.ts'

export interface Measured {
  readonly spec: Case
  readonly results: readonly EngineResult[]
  readonly notes: readonly string[]
}

/** From the median to the slowest in a thousand, so that the tail is seen. */
const QUANTILES: readonly (readonly [number, string])[] = [
  [0.01, '1 %'],
  [0.1, '10 %'],
  [0.25, '25 %'],
  [0.5, '50 %'],
  [0.75, '75 %'],
  [0.9, '90 %'],
  [0.95, '95 %'],
  [0.99, '99 %'],
  [0.995, '99.5 %'],
  [0.999, '99.9 %'],
]
/** In a plot of a tail each further nine takes as much room as the one before. */
const nines = (quantile: number): number => -Math.log10(1 - quantile)

export function page(machine: string, measured: readonly Measured[]): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sluice: benches</title>
<style>
body { font: 14px system-ui, sans-serif; max-width: 1000px; margin: 2em auto; color: #212529 }
pre { background: #f8f9fa; padding: 1em; overflow-x: auto; font-size: 12px }
svg { width: 100%; max-width: 760px; display: block; margin: 1em 0; font: 12px system-ui, sans-serif }
section { border-top: 1px solid #dee2e6; padding-top: 1em }
</style>
<h1>Sluice: benches</h1>
<p>${escapeHtml(machine)}</p>
${overview(measured)}
${measured.map(section).join('\n')}
</html>
`
}

/** How many times more items per CPU second than each other engine, case by case; the red mark is the target. */
function overview(measured: readonly Measured[]): string {
  const rows: Bar[] = []
  for (const { spec, results } of measured) {
    const own = results.find(({ engine }) => engine === 'sluice')?.runs ?? []
    for (const { engine, runs } of results) {
      const ratios = ratiosOf('items_per_cpu_s', own, runs)
      if (engine === 'sluice' || ratios.length === 0) continue
      const { median, min, max } = spread(ratios)
      const target = spec.targets.find((one) => 'atLeastTimes' in one && one.than === engine)
      rows.push({
        label: `${spec.name} / ${engine}`,
        value: median,
        min,
        max,
        engine,
        target: target !== undefined && 'atLeastTimes' in target ? target.atLeastTimes : undefined,
      })
    }
  }
  return rows.length === 0 ? '' : bars('Items per CPU second: Sluice over the other engine', rows, 'x')
}

function section({ spec, results, notes }: Measured): string {
  const said = [...table(results), '', ...remarks(spec.targets, results), ...notes].join('\n')
  return `<section><h2>${escapeHtml(spec.name)}</h2><p>${escapeHtml(spec.summary)}</p>
<pre>${escapeHtml(said)}</pre>
${latency(results)}
${memory(results)}</section>`
}

function latency(results: readonly EngineResult[]): string {
  const series = results.flatMap(({ engine, runs }): Line[] => {
    const merged = new Histogram()
    for (const { latency } of runs) if (latency !== undefined) merged.add(latency)
    if (merged.total === 0) return []
    return [{ engine, points: QUANTILES.map(([q]) => [nines(q), merged.quantile(q)!] as const) }]
  })
  const ticks = QUANTILES.filter(([q]) => [0.5, 0.9, 0.99, 0.999].includes(q)).map(([q, label]): [number, string] => [
    nines(q),
    label,
  ])
  return lines('Latency by quantile', series, { x: 'share of requests', y: 'ms', ticks })
}

function memory(results: readonly EngineResult[]): string {
  const series = results.flatMap(({ engine, runs }) =>
    runs.flatMap(({ memory = [] }: Run): Line[] =>
      memory.length === 0 ? [] : [{ engine, points: memory.map(({ ms, rssMib }) => [ms / 1000, rssMib] as const) }],
    ),
  )
  return lines('Resident memory over the window', series, { x: 'seconds', y: 'MiB' })
}
