/** Labels of one series; values are few and known when it is made. */
export type Labels = Readonly<Record<string, string>>

/** `service.telemetry.metrics.level`: how much is told. Each has what the one before it has. */
export const METRIC_LEVELS = ['none', 'basic', 'normal', 'detailed'] as const
export type MetricLevel = (typeof METRIC_LEVELS)[number]

export interface InstrumentOptions {
  /** One sentence: what is counted. */
  readonly description: string
  /** UCUM, as the Collector writes it: `{spans}`, `By`, `s`. */
  readonly unit?: string
  /** The least level at which the instrument counts; `none` is always. Absent: `basic`. */
  readonly level?: MetricLevel
}

/** How the values of several lanes become one. */
export type Across = 'sum' | 'least' | 'most'

export interface GaugeOptions extends InstrumentOptions {
  /** Absent: `sum`, right for amounts. Another one where each lane tells of the same thing. */
  readonly across?: Across
}

export interface HistogramOptions extends InstrumentOptions {
  /** Upper bounds of the buckets on the pull endpoint, ascending, `+Inf` left out: one of those in boundaries.ts. */
  readonly boundaries: readonly number[]
}

/** A sum that only grows. One series: labels are bound when it is made, so that adding is one store. */
export interface Counter {
  add(n: number): void
}

/** A sum that also shrinks. */
export interface UpDownCounter {
  add(n: number): void
}

/** A value that is set. */
export interface Gauge {
  set(value: number): void
}

/** Sizes and durations: how often which. Values below zero and NaN are left out. */
export interface Histogram {
  record(value: number): void
}

/** Makes instruments. The same name and labels give the same series; below its level an instrument counts nowhere. */
export interface Meter {
  /** Whether instruments of `level` count: where reading a clock for one would cost something. */
  enabled(level: MetricLevel): boolean
  counter(name: string, labels: Labels, options: InstrumentOptions): Counter
  upDownCounter(name: string, labels: Labels, options: InstrumentOptions): UpDownCounter
  gauge(name: string, labels: Labels, options: GaugeOptions): Gauge
  histogram(name: string, labels: Labels, options: HistogramOptions): Histogram
}

/** Whether what is told from `needed` on is told at `level`. */
export function levelIncludes(level: MetricLevel, needed: MetricLevel): boolean {
  return METRIC_LEVELS.indexOf(needed) <= METRIC_LEVELS.indexOf(level)
}
