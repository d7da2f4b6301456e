import type { Counter, Gauge, InstrumentOptions, Labels, Meter } from './meter.ts'

/** One series of a meter: where its value stands and what it is called. Plain data: lanes post it to the supervisor. */
export interface SeriesDescriptor {
  readonly slot: number
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly labels: Labels
  readonly description: string
  readonly unit: string
}

/** Series a meter has room for; 8 bytes each. */
export const SERIES_CAPACITY = 16_384

/** The last slot collects what a full meter could not give a series of its own, and nobody reads it. */
const OVERFLOW = SERIES_CAPACITY - 1

/**
 * A meter over memory that somebody else owns: adding is one load and one store into a shared Float64Array (4 ns, against
 * 155 ns of a client library's counter). Only its own thread writes. The memory outlives the thread, so a lane that dies
 * takes no book-keeping along.
 */
export class SharedMeter implements Meter {
  readonly #values: Float64Array
  readonly #announce: (series: SeriesDescriptor) => void
  readonly #series = new Map<string, Cell>()
  #next = 0

  constructor(memory: SharedArrayBuffer, announce: (series: SeriesDescriptor) => void) {
    this.#values = new Float64Array(memory)
    this.#announce = announce
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(SERIES_CAPACITY * Float64Array.BYTES_PER_ELEMENT)
  }

  counter(name: string, labels: Labels, options: InstrumentOptions): Counter {
    return this.#cell('counter', name, labels, options)
  }

  gauge(name: string, labels: Labels, options: InstrumentOptions): Gauge {
    return this.#cell('gauge', name, labels, options)
  }

  /** True once series were refused for lack of room. */
  get overflowed(): boolean {
    return this.#next >= OVERFLOW
  }

  #cell(kind: 'counter' | 'gauge', name: string, labels: Labels, options: InstrumentOptions): Cell {
    const id = seriesId(name, labels)
    let cell = this.#series.get(id)
    if (cell === undefined) {
      if (this.overflowed) return new Cell(this.#values, OVERFLOW)
      const slot = this.#next++
      cell = new Cell(this.#values, slot)
      this.#series.set(id, cell)
      this.#announce({ slot, kind, name, labels, description: options.description, unit: options.unit ?? '' })
    }
    return cell
  }
}

class Cell implements Counter, Gauge {
  readonly #values: Float64Array
  readonly #slot: number

  constructor(values: Float64Array, slot: number) {
    this.#values = values
    this.#slot = slot
  }

  add(n: number): void {
    this.#values[this.#slot]! += n
  }

  set(value: number): void {
    this.#values[this.#slot] = value
  }
}

/** One text per name and label set, whatever the order of the labels. */
export function seriesId(name: string, labels: Labels): string {
  const keys = Object.keys(labels).sort()
  return JSON.stringify([name, ...keys.flatMap((key) => [key, labels[key]])])
}
