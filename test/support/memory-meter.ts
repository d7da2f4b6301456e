import type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  InstrumentOptions,
  Labels,
  Meter,
} from '../../src/telemetry/meter.ts'

/** Keeps every series where a test can read it. */
export class MemoryMeter implements Meter {
  readonly #values = new Map<string, number>()
  readonly #recorded = new Map<string, number[]>()

  enabled(): boolean {
    return true
  }

  counter(name: string, labels: Labels, _options: InstrumentOptions): Counter {
    const key = seriesKey(name, labels)
    this.#values.set(key, this.#values.get(key) ?? 0)
    return { add: (n) => void this.#values.set(key, (this.#values.get(key) ?? 0) + n) }
  }

  upDownCounter(name: string, labels: Labels, options: InstrumentOptions): Counter {
    return this.counter(name, labels, options)
  }

  /** Its count and sum are series of their own, `name_count` and `name_sum`; `recorded` has the values. */
  histogram(name: string, labels: Labels, options: HistogramOptions): Histogram {
    const count = this.counter(`${name}_count`, labels, options)
    const sum = this.counter(`${name}_sum`, labels, options)
    const key = seriesKey(name, labels)
    const values = this.#recorded.get(key) ?? []
    this.#recorded.set(key, values)
    return {
      record(value) {
        count.add(1)
        sum.add(value)
        values.push(value)
      },
    }
  }

  /** What a histogram was given, in order. */
  recorded(name: string, labels: Labels): readonly number[] {
    return this.#recorded.get(seriesKey(name, labels)) ?? []
  }

  gauge(name: string, labels: Labels, _options: InstrumentOptions): Gauge {
    const key = seriesKey(name, labels)
    this.#values.set(key, this.#values.get(key) ?? 0)
    return { set: (value) => void this.#values.set(key, value) }
  }

  /** Of one series; undefined where nobody made it. */
  value(name: string, labels: Labels): number | undefined {
    return this.#values.get(seriesKey(name, labels))
  }

  /** Over all series of that name. */
  total(name: string): number {
    let total = 0
    for (const [key, value] of this.#values) if (key.startsWith(`${name}{`)) total += value
    return total
  }

  /** Every series that is not 0: `name{label=value,…}` with labels in alphabetical order. */
  get series(): Record<string, number> {
    return Object.fromEntries([...this.#values].filter(([, value]) => value !== 0).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function seriesKey(name: string, labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return `${name}{${pairs.join(',')}}`
}
