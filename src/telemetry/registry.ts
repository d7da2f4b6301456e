import { type HistogramValue, mergeHistograms, readHistogram } from './histogram-cell.ts'
import type { Labels, MetricLevel } from './meter.ts'
import { type SeriesDescriptor, seriesId } from './shared-meter.ts'

interface Described {
  readonly name: string
  readonly labels: Labels
  readonly description: string
  readonly unit: string
  /** From which level on it is told; absent is `basic`. */
  readonly level?: MetricLevel
  /** Computed when somebody looks, not counted as it happens. */
  readonly observed?: boolean
}

/** The value of one series now, summed over the meters that have it. */
export interface NumberReading extends Described {
  readonly kind: 'counter' | 'updown' | 'gauge'
  readonly value: number
}

export interface HistogramReading extends Described {
  readonly kind: 'histogram'
  readonly value: HistogramValue
  /** The form in which a view wants it sent. */
  readonly form?: 'explicit' | 'exponential'
  /** False: a view wants it sent without minimum and maximum. */
  readonly minMax?: boolean
}

export type Reading = NumberReading | HistogramReading

/** Every meter of the process, read in one place. The supervisor owns it. */
export class MeterRegistry {
  readonly #meters: { readonly values: Float64Array; readonly series: SeriesDescriptor[] }[] = []
  readonly #observers: (() => Iterable<Reading>)[] = []

  /** Adds a meter's memory; the returned function takes its series as they are announced. */
  attach(memory: SharedArrayBuffer): (series: SeriesDescriptor) => void {
    const meter = { values: new Float64Array(memory), series: [] as SeriesDescriptor[] }
    this.#meters.push(meter)
    return (series) => meter.series.push(series)
  }

  /** Adds readings that are computed when somebody looks: process memory, uptime. */
  observe(observer: () => Iterable<Reading>): void {
    this.#observers.push(observer)
  }

  /** All series, by name and then in the order they were made. */
  read(): Reading[] {
    const sums = new Map<string, Reading>()
    for (const { values, series } of this.#meters) {
      for (const descriptor of series) {
        const id = seriesId(descriptor.name, descriptor.labels)
        const known = sums.get(id)
        const reading = readSeries(values, descriptor)
        sums.set(id, known === undefined ? reading : sumReadings(known, reading))
      }
    }
    const readings = [...sums.values()]
    for (const observer of this.#observers)
      for (const reading of observer()) readings.push({ ...reading, observed: true })
    return readings.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}

function readSeries(values: Float64Array, { slot, boundaries, ...described }: SeriesDescriptor): Reading {
  const { kind } = described
  if (kind === 'histogram') return { ...described, kind, value: readHistogram(values, slot, boundaries ?? []) }
  return { ...described, kind, value: values[slot]! }
}

/** One series of two that are alike. */
export function sumReadings(a: Reading, b: Reading): Reading {
  if (a.kind === 'histogram') return b.kind === 'histogram' ? { ...a, value: mergeHistograms(a.value, b.value) } : a
  return b.kind === 'histogram' ? a : { ...a, value: a.value + b.value }
}
