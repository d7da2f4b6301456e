import type { Labels } from './meter.ts'
import { type SeriesDescriptor, seriesId } from './shared-meter.ts'

/** The value of one series now, summed over the meters that have it. */
export interface Reading {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly labels: Labels
  readonly description: string
  readonly unit: string
  readonly value: number
}

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
    const sums = new Map<string, { reading: Reading; value: number }>()
    for (const meter of this.#meters) {
      for (const { slot, ...series } of meter.series) {
        const id = seriesId(series.name, series.labels)
        const value = meter.values[slot]!
        const known = sums.get(id)
        if (known) known.value += value
        else sums.set(id, { reading: { ...series, value }, value })
      }
    }
    const readings = [...sums.values()].map(({ reading, value }) => ({ ...reading, value }))
    for (const observer of this.#observers) readings.push(...observer())
    return readings.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}
