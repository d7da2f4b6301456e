import type { Clock, Timer } from '../../src/clock.ts'
import type { Reading } from '../../src/telemetry/registry.ts'

/** How often counters are looked at. */
export const SAMPLE_MS = 5000
/** Samples of the last minute, and the one that it began with. */
const KEPT = 13
const SHORT_SAMPLES = 2

/** Growth a second over the last 10 s and the last minute, or since the first sample where that is less. */
export interface Rates {
  readonly short: number
  readonly long: number
}

interface Sample {
  readonly at: number
  readonly values: ReadonlyMap<string, number>
}

/** Remembers what counters read, so that pages can say how fast they grow. */
export class RateBook {
  readonly #clock: Clock
  readonly #read: () => readonly Reading[]
  readonly #samples: Sample[] = []
  #timer: Timer | undefined

  constructor(clock: Clock, read: () => readonly Reading[]) {
    this.#clock = clock
    this.#read = read
  }

  start(): void {
    this.#samples.push(this.#sample())
    if (this.#samples.length > KEPT) this.#samples.shift()
    this.#timer = this.#clock.setTimeout(() => this.start(), SAMPLE_MS)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Rates of every counter now, by `seriesKey`. */
  now(): (key: string) => Rates {
    const latest = this.#sample()
    const since = (sample: Sample | undefined, key: string): number => {
      if (sample === undefined || latest.at <= sample.at) return 0
      const grown = (latest.values.get(key) ?? 0) - (sample.values.get(key) ?? 0)
      return Math.max(0, grown / ((latest.at - sample.at) / 1000))
    }
    const short = this.#samples.at(-Math.min(SHORT_SAMPLES, this.#samples.length))
    const long = this.#samples[0]
    return (key) => ({ short: since(short, key), long: since(long, key) })
  }

  #sample(): Sample {
    const values = new Map<string, number>()
    for (const reading of this.#read()) {
      if (reading.kind === 'counter') values.set(seriesKey(reading), reading.value)
    }
    return { at: this.#clock.monotonic(), values }
  }
}

/** One text per series. */
export function seriesKey({ name, labels }: Pick<Reading, 'name' | 'labels'>): string {
  return `${name}${Object.entries(labels)
    .map(([key, value]) => ` ${key}=${value}`)
    .sort()
    .join('')}`
}
