import type { Counter, Gauge, InstrumentOptions, Labels, Meter } from '../../src/telemetry/meter.ts'

/** Keeps every series where a test can read it. */
export class MemoryMeter implements Meter {
  readonly #values = new Map<string, number>()

  counter(name: string, labels: Labels, _options: InstrumentOptions): Counter {
    const key = seriesKey(name, labels)
    this.#values.set(key, this.#values.get(key) ?? 0)
    return { add: (n) => void this.#values.set(key, (this.#values.get(key) ?? 0) + n) }
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
