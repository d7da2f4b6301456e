import { type HistogramValue, mergeHistograms, readHistogram } from './histogram-cell.ts'
import type { Across, Labels, MetricLevel } from './meter.ts'
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

/** The value of one series now, over all meters that have it. */
export interface NumberReading extends Described {
  readonly kind: 'counter' | 'updown' | 'gauge'
  /** Of a gauge that does not add up over lanes. */
  readonly across?: Across
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

interface AttachedMeter {
  readonly memory: SharedArrayBuffer
  readonly values: Float64Array
  readonly series: SeriesDescriptor[]
}

/** Every meter of the process, read in one place. The supervisor owns it. */
export class MeterRegistry {
  readonly #meters: AttachedMeter[] = []
  /** What meters that are no more have counted. */
  readonly #past = new Map<string, Reading>()
  readonly #observers: (() => Iterable<Reading>)[] = []

  /** Adds a meter's memory; the returned function takes its series as they are announced. */
  attach(memory: SharedArrayBuffer): (series: SeriesDescriptor) => void {
    const meter: AttachedMeter = { memory, values: new Float64Array(memory), series: [] }
    this.#meters.push(meter)
    return (series) => meter.series.push(series)
  }

  /**
   * The thread that wrote to `memory` has ended. What it counted stays counted; what it had at its end, such as the size of a
   * queue, is no more. Returns its last readings.
   */
  retire(memory: SharedArrayBuffer): readonly Reading[] {
    const found = this.#meters.findIndex((meter) => meter.memory === memory)
    if (found < 0) return []
    const last = new Map<string, Reading>()
    for (const meter of this.#meters.splice(found, 1)) gather(meter, last)
    for (const [id, reading] of last) {
      if (reading.kind === 'counter' || reading.kind === 'histogram') put(this.#past, id, reading)
    }
    return [...last.values()]
  }

  /** What the series of that name come to, over all meters and labels. */
  total(name: string): number {
    let sum = 0
    for (const { values, series } of this.#meters)
      for (const each of series) if (each.name === name && each.kind !== 'histogram') sum += values[each.slot]!
    return sum
  }

  /** Adds readings that are computed when somebody looks: process memory, uptime. */
  observe(observer: () => Iterable<Reading>): void {
    this.#observers.push(observer)
  }

  /** All series, by name and then in the order they were made. */
  read(): Reading[] {
    const all = new Map(this.#past)
    for (const meter of this.#meters) gather(meter, all)
    const readings = [...all.values()]
    for (const observer of this.#observers)
      for (const reading of observer()) readings.push({ ...reading, observed: true })
    return readings.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}

function gather({ values, series }: AttachedMeter, into: Map<string, Reading>): void {
  for (const descriptor of series)
    put(into, seriesId(descriptor.name, descriptor.labels), readSeries(values, descriptor))
}

function put(into: Map<string, Reading>, id: string, reading: Reading): void {
  const known = into.get(id)
  into.set(id, known === undefined ? reading : overLanes(known, reading))
}

/** One series of two lanes. */
function overLanes(a: Reading, b: Reading): Reading {
  if (a.kind !== 'gauge' || b.kind !== 'gauge' || a.across === undefined) return sumReadings(a, b)
  return { ...a, value: a.across === 'least' ? Math.min(a.value, b.value) : Math.max(a.value, b.value) }
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
