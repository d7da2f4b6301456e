/** The suite as one page that needs nothing else: no script, no style sheet, no image from anywhere. */
import type { Case } from '../cases.ts'
import { Histogram } from '../load/histogram.ts'
import type { EngineResult, Run } from './figures.ts'
import { ratiosOf } from './figures.ts'
import { type Bar, bars, escapeHtml, type Line, lines } from './plots.ts'
import { spread } from './statistics.ts'
import { STYLE } from './style.ts'
import { remarks, rows } from './table.ts'

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
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice: benches</title>
<style>${STYLE}</style></head><body>
<h1>Sluice beside other engines</h1>
<p class="machine">${escapeHtml(machine)}</p>
<p>Each engine in turn runs the same pipeline on one core; clients and the backend behind it are on another. The first figure is how many
items (spans, log records, data points) it moves for a second of its CPU time, all threads, user and system. Figures are medians of the
repeats with (least–most); a ratio is taken within a repeat. Ratios carry over to other machines, microseconds do not.</p>
${overview(measured)}
${measured.map(section).join('\n')}
</body></html>
`
}

/** How many times more items per CPU second than each other engine, case by case. */
function overview(measured: readonly Measured[]): string {
  const all: Bar[] = []
  for (const { spec, results } of measured) {
    const own = results.find(({ engine }) => engine === 'sluice')?.runs ?? []
    for (const { engine, runs } of results) {
      const ratios = ratiosOf('items_per_cpu_s', own, runs)
      if (engine === 'sluice' || ratios.length === 0) continue
      const { median, min, max } = spread(ratios)
      const target = spec.targets.find(
        (one) => 'atLeastTimes' in one && one.than === engine && one.figure === 'items_per_cpu_s',
      )
      const atLeast = target !== undefined && 'atLeastTimes' in target ? target.atLeastTimes : undefined
      all.push({ label: `${spec.name} / ${engine}`, value: median, min, max, target: atLeast })
    }
  }
  const cases = measured.map(({ spec: { name } }) => `<a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>`)
  const chart =
    all.length === 0
      ? ''
      : `<div class="wide">${bars('Items per CPU second: how many times as many as the other engine', all, 'x')}</div>
<p class="summary">The thin line in a bar is the spread over the repeats, the red mark the target, the dashed line where both are equal.</p>`
  return `${chart}\n<p>${cases.join(' · ')}</p>`
}

function section({ spec, results, notes }: Measured): string {
  const said = remarks(spec.targets, results).map((remark) => {
    const verdict = remark.endsWith(': reached')
      ? ' class="reached"'
      : remark.endsWith(': MISSED')
        ? ' class="missed"'
        : ''
    return `<li${verdict}>${escapeHtml(remark)}</li>`
  })
  const others = notes.map((note) => `<li>${escapeHtml(note)}</li>`)
  const list = [...said, ...others].join('')
  return `<section id="${escapeHtml(spec.name)}"><h2>${escapeHtml(spec.name)}</h2><p class="summary">${escapeHtml(spec.summary)}</p>
<div class="scroll">${figures(results)}</div>
${list === '' ? '' : `<ul>${list}</ul>`}
<div class="plots">${latency(results)}${memory(results)}</div></section>`
}

function figures(results: readonly EngineResult[]): string {
  const [head = [], ...engines] = rows(results)
  const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${withSmallSpread(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${row(head, 'th')}${engines.map((cells) => row(cells, 'td')).join('')}</table>`
}

const withSmallSpread = (cell: string): string => escapeHtml(cell).replace(/\((.*)\)$/, '<small>($1)</small>')

function latency(results: readonly EngineResult[]): string {
  const series = results.flatMap(({ engine, runs }): Line[] => {
    const merged = new Histogram()
    for (const { latency } of runs) if (latency !== undefined) merged.add(latency)
    if (merged.total === 0) return []
    return [{ engine, points: QUANTILES.map(([q]) => [nines(q), merged.quantile(q)!] as const) }]
  })
  const ticks = QUANTILES.filter(([q]) => [0.5, 0.9, 0.99, 0.999].includes(q)).map(
    ([q, label]) => [nines(q), label] as const,
  )
  return lines('Latency: so many of the requests took no longer', series, { x: 'of the requests', y: 'ms', ticks })
}

function memory(results: readonly EngineResult[]): string {
  const series = results.flatMap(({ engine, runs }) =>
    runs.flatMap(({ memory = [] }: Run): Line[] =>
      memory.length === 0 ? [] : [{ engine, points: memory.map(({ ms, rssMib }) => [ms / 1000, rssMib] as const) }],
    ),
  )
  return lines('Resident memory over the window, each repeat a line', series, { x: 'seconds', y: 'MiB' })
}
