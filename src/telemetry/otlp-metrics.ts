import { Writer } from '../otlp/encode.ts'
import type { HistogramValue } from './histogram-cell.ts'
import { since } from './histogram-forms.ts'
import { nanos, writeRequest } from './otlp-writing.ts'
import type { OwnResource } from './own-resource.ts'
import type { HistogramReading, NumberReading, Reading } from './registry.ts'
import { seriesId } from './shared-meter.ts'

export interface OtlpMetricsOptions {
  readonly resource: OwnResource
  /** Of the scope. */
  readonly version: string
  /** When counting began, ms since the epoch. */
  readonly startedAt: number
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory'
  readonly histograms: 'base2_exponential_bucket_histogram' | 'explicit_bucket_histogram'
}

const DELTA = 1
const CUMULATIVE = 2

type Value = number | HistogramValue

/**
 * Readings as OTLP: an `ExportMetricsServiceRequest` each time. It remembers what it wrote last, for deltas; `commit` says
 * that it arrived, and until then the next request tells the same again.
 */
export class OtlpMetrics {
  readonly #options: OtlpMetricsOptions
  readonly #writer = new Writer(16_384)
  #sent = new Map<string, Value>()
  #pending = new Map<string, Value>()
  #since: number
  #pendingSince: number

  constructor(options: OtlpMetricsOptions) {
    this.#options = options
    this.#since = options.startedAt
    this.#pendingSince = options.startedAt
  }

  /** `readings` are sorted by name; `now` in ms since the epoch. `items` counts data points. */
  encode(
    readings: readonly Reading[],
    now: number,
  ): { readonly bytes: Uint8Array<ArrayBuffer>; readonly items: number } {
    const { resource, version } = this.#options
    this.#pending = new Map()
    this.#pendingSince = now
    // Who the process is stands in the resource already.
    const told = readings.filter(({ name }) => name !== 'target_info')
    writeRequest(this.#writer, resource, version, () => {
      for (let i = 0; i < told.length; ) i = this.#metric(told, i, now)
    })
    return { bytes: this.#writer.finish(), items: told.length }
  }

  commit(): void {
    this.#sent = this.#pending
    this.#since = this.#pendingSince
  }

  /** Writes the metric whose series begin at `first`; returns where the next begins. */
  #metric(readings: readonly Reading[], first: number, now: number): number {
    const writer = this.#writer
    const head = readings[first]!
    const delta = this.#isDelta(head)
    const metric = writer.begin(2)
    writer.string(1, head.name)
    writer.string(2, head.description)
    writer.string(3, head.unit)
    const exponential = head.kind === 'histogram' && this.#isExponential(head)
    const body = writer.begin(head.kind === 'gauge' ? 5 : head.kind !== 'histogram' ? 7 : exponential ? 10 : 9)
    let next = first
    for (; next < readings.length && readings[next]!.name === head.name; next++) {
      const reading = readings[next]!
      if (reading.kind === 'histogram') this.#histogram(reading, exponential, delta, now)
      else this.#number(reading, delta, now)
    }
    if (head.kind !== 'gauge') writer.uint(2, delta ? DELTA : CUMULATIVE)
    if (head.kind === 'counter') writer.uint(3, 1)
    writer.end(body)
    writer.end(metric)
    return next
  }

  #isDelta({ kind, observed }: Reading): boolean {
    const { temporality } = this.#options
    if (kind === 'gauge' || kind === 'updown' || temporality === 'cumulative') return false
    return temporality === 'delta' || observed !== true
  }

  #isExponential({ form }: HistogramReading): boolean {
    if (form !== undefined) return form === 'exponential'
    return this.#options.histograms === 'base2_exponential_bucket_histogram'
  }

  #times(field: number, delta: boolean, now: number): void {
    this.#writer.fixed64(field, nanos(delta ? this.#since : this.#options.startedAt))
    this.#writer.fixed64(field + 1, nanos(now))
  }

  #number(reading: NumberReading, delta: boolean, now: number): void {
    const writer = this.#writer
    const id = seriesId(reading.name, reading.labels)
    const before = this.#sent.get(id)
    const value = delta && typeof before === 'number' ? reading.value - before : reading.value
    this.#pending.set(id, reading.value)
    const point = writer.begin(1)
    this.#times(2, delta, now)
    // A metric keeps its type: what is measured in seconds or shares is a double although it may be whole.
    if (Number.isSafeInteger(value) && reading.unit !== 's' && reading.unit !== '1') writer.fixed64(6, BigInt(value))
    else writer.double(4, value)
    for (const [key, text] of Object.entries(reading.labels)) writer.keyValue(7, key, text)
    writer.end(point)
  }

  #histogram(reading: HistogramReading, exponential: boolean, delta: boolean, now: number): void {
    const writer = this.#writer
    const id = seriesId(reading.name, reading.labels)
    const before = this.#sent.get(id)
    this.#pending.set(id, reading.value)
    const value = delta && typeof before === 'object' ? since(reading.value, before) : reading.value
    const point = writer.begin(1)
    this.#times(2, delta, now)
    writer.fixed64(4, BigInt(value.count))
    writer.double(5, value.sum)
    const attributes = exponential ? 1 : 9
    for (const [key, text] of Object.entries(reading.labels)) writer.keyValue(attributes, key, text)
    if (exponential) this.#exponential(value)
    else this.#explicit(value)
    if (value.count > 0 && value.min <= value.max && reading.minMax !== false) {
      writer.double(exponential ? 12 : 11, value.min)
      writer.double(exponential ? 13 : 12, value.max)
    }
    writer.end(point)
  }

  #explicit({ explicit, boundaries }: HistogramValue): void {
    const writer = this.#writer
    const counts = writer.begin(6)
    for (const count of explicit) writer.rawFixed64(BigInt(count))
    writer.end(counts)
    const bounds = writer.begin(7)
    for (const bound of boundaries) writer.rawDouble(bound)
    writer.end(bounds)
  }

  #exponential({ exponential: { scale, zeroes, offset, counts } }: HistogramValue): void {
    const writer = this.#writer
    writer.sint(6, scale)
    writer.fixed64(7, BigInt(zeroes))
    const positive = writer.begin(8)
    writer.sint(1, offset)
    const list = writer.begin(2)
    for (const count of counts) writer.varint(count)
    writer.end(list)
    writer.end(positive)
  }
}
