/** One engine's figures in one case, as the JSON lines have them. */
import type { HistogramData } from '../load/histogram.ts'
import type { Sample } from '../load/protocol.ts'
import { median } from './statistics.ts'

/** In the order in which they are printed; null where a case does not measure it. */
export const FIGURES = [
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
] as const

/** What only some cases have. */
export const MORE_FIGURES = [
  'cpu_percent',
  'load_percent',
  'out_bytes_per_item',
  'start_ms',
  'delivered_share',
  'refused_requests',
  'refused_with_delay_share',
  'timed_out_requests',
  'rss_over_knee',
  'rss_over_calm',
  'rss_after_over_idle',
  'rss_growth',
  'heap_bytes_per_request',
] as const

export type FigureName = (typeof FIGURES)[number] | (typeof MORE_FIGURES)[number]

export type Figures = Readonly<Partial<Record<FigureName, number>>>

/** One repeat. */
export interface Run {
  readonly figures: Figures
  readonly latency?: HistogramData
  readonly memory?: readonly Sample[]
}

export interface EngineResult {
  readonly engine: string
  readonly runs: readonly Run[]
}

export type Line = Readonly<Record<string, unknown>>

/** The line of an engine: every figure the median of its runs, but for `lost`, which is their sum. */
export function lineOf(name: string, { engine, runs }: EngineResult): Line {
  const line: Record<string, unknown> = { case: name, engine }
  for (const figure of FIGURES) line[figure] = summary(figure, runs)
  for (const figure of MORE_FIGURES) {
    const value = summary(figure, runs)
    if (value !== null) line[figure] = value
  }
  line['runs'] = runs.map(({ figures }) => figures)
  return line
}

export function summary(figure: FigureName, runs: readonly Run[]): number | null {
  const values = valuesOf(figure, runs)
  if (values.length === 0) return null
  return figure === 'lost' ? values.reduce((sum, value) => sum + value, 0) : median(values)
}

export function valuesOf(figure: FigureName, runs: readonly Run[]): readonly number[] {
  return runs.flatMap(({ figures }) => {
    const value = figures[figure]
    return value === undefined ? [] : [value]
  })
}

/** How many times as much as another engine's a figure is, from the pairs of one repeat where both have it: what slowed both cancels out. */
export function ratiosOf(figure: FigureName, own: readonly Run[], other: readonly Run[]): readonly number[] {
  return own.flatMap(({ figures }, i) => {
    const [mine, theirs] = [figures[figure], other[i]?.figures[figure]]
    return mine === undefined || theirs === undefined ? [] : [mine / theirs]
  })
}
