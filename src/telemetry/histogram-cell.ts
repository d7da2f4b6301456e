import type { Histogram } from './meter.ts'

/**
 * Buckets of the exponential form: OpenTelemetry's default of 160 keeps the relative error below 5 % over a range of
 * 1 to 1000 and below 12 % over 1 to 10^9.
 */
export const EXPONENTIAL_BUCKETS = 160

/** The finest scale there is (data model: "ExponentialHistogram, scale"): where a new series starts. */
const MAX_SCALE = 20

/*
 * One series in a meter's memory, from its slot on, every value a float64:
 *
 *   version  count  sum  min  max  zeroes  scale  first  last │ explicit buckets, boundaries + 1 │ exponential, 160
 *
 * `first` and `last` are indexes of the exponential form; index i stands in ring slot i mod 160. `version` is odd while the
 * ring is rewritten, which is the one moment at which a reader could see nonsense rather than a value that is one behind.
 */
const VERSION = 0
const COUNT = 1
const SUM = 2
const MIN = 3
const MAX = 4
const ZEROES = 5
const SCALE = 6
const FIRST = 7
const LAST = 8
const EXPLICIT = 9

/** Slots that a series with so many boundaries takes. */
export function histogramSlots(boundaries: number): number {
  return EXPLICIT + boundaries + 1 + EXPONENTIAL_BUCKETS
}

/** Where the ring is rewritten; one thread at a time uses it. */
const scratch = new Float64Array(EXPONENTIAL_BUCKETS)

/**
 * Records into shared memory, in two forms at once: the Collector's explicit buckets, exact, for who pulls; and
 * OpenTelemetry's base-2 exponential histogram (data model, "ExponentialHistogram"), which merges across lanes and tells
 * quantiles, for who is sent it. Deriving the first from the second would put a value up to a bucket's width (9 % at scale 3)
 * on the wrong side of a bound. Recording allocates nothing.
 */
export class HistogramCell implements Histogram {
  readonly #values: Float64Array
  readonly #slot: number
  readonly #boundaries: readonly number[]
  readonly #ring: number
  #scale = MAX_SCALE
  /** 2^scale: logarithms times it are indexes. */
  #factor = 2 ** MAX_SCALE
  #first = 0
  #last = -1

  constructor(values: Float64Array, slot: number, boundaries: readonly number[]) {
    this.#values = values
    this.#slot = slot
    this.#boundaries = boundaries
    this.#ring = slot + EXPLICIT + boundaries.length + 1
    values[slot + MIN] = Number.POSITIVE_INFINITY
    values[slot + MAX] = Number.NEGATIVE_INFINITY
    values[slot + SCALE] = MAX_SCALE
    values[slot + LAST] = -1
  }

  record(value: number): void {
    // NaN and infinity have no bucket in either form.
    if (!(value >= 0) || value === Number.POSITIVE_INFINITY) return
    const values = this.#values
    const slot = this.#slot
    if (value < values[slot + MIN]!) values[slot + MIN] = value
    if (value > values[slot + MAX]!) values[slot + MAX] = value
    const boundaries = this.#boundaries
    let bucket = 0
    for (let above = boundaries.length; bucket < above; ) {
      const middle = (bucket + above) >>> 1
      if (value > boundaries[middle]!) bucket = middle + 1
      else above = middle
    }
    values[slot + EXPLICIT + bucket]! += 1
    if (value === 0) {
      values[slot + ZEROES]! += 1
    } else {
      // Bucket i holds (base^i, base^(i+1)], base = 2^(2^-scale).
      let index = Math.ceil(Math.log2(value) * this.#factor) - 1
      if (index < this.#first || index > this.#last) index = this.#widen(index)
      values[this.#ring + modulo(index)]! += 1
    }
    values[slot + SUM]! += value
    values[slot + COUNT]! += 1
  }

  /** Makes the range hold `index`, at a coarser scale where it must; returns what `index` is then. */
  #widen(index: number): number {
    const values = this.#values
    const slot = this.#slot
    let at = index
    let first = this.#last < this.#first ? at : Math.min(this.#first, at)
    let last = this.#last < this.#first ? at : Math.max(this.#last, at)
    let shift = 0
    while (last - first >= EXPONENTIAL_BUCKETS) {
      first = Math.floor(first / 2)
      last = Math.floor(last / 2)
      at = Math.floor(at / 2)
      shift++
    }
    if (shift > 0) this.#coarsen(shift)
    this.#first = first
    this.#last = last
    values[slot + FIRST] = first
    values[slot + LAST] = last
    return at
  }

  #coarsen(shift: number): void {
    const values = this.#values
    const slot = this.#slot
    values[slot + VERSION]! += 1
    const by = 2 ** shift
    scratch.fill(0)
    for (let index = this.#first; index <= this.#last; index++) {
      scratch[modulo(Math.floor(index / by))]! += values[this.#ring + modulo(index)]!
    }
    values.set(scratch, this.#ring)
    this.#scale -= shift
    this.#factor = 2 ** this.#scale
    values[slot + SCALE] = this.#scale
    values[slot + VERSION]! += 1
  }
}

function modulo(index: number): number {
  const rest = index % EXPONENTIAL_BUCKETS
  return rest < 0 ? rest + EXPONENTIAL_BUCKETS : rest
}

/** A histogram as it stands. */
export interface HistogramValue {
  readonly count: number
  readonly sum: number
  /** Infinity and -Infinity while the count is 0. */
  readonly min: number
  readonly max: number
  readonly boundaries: readonly number[]
  /** How many values are in each bucket, not cumulated; one more than there are boundaries. */
  readonly explicit: readonly number[]
  readonly exponential: ExponentialBuckets
}

export interface ExponentialBuckets {
  readonly scale: number
  readonly zeroes: number
  /** Index of the first of `counts`. */
  readonly offset: number
  readonly counts: readonly number[]
}

const ATTEMPTS = 100

/** Reads a series that another thread may be writing to. */
export function readHistogram(values: Float64Array, slot: number, boundaries: readonly number[]): HistogramValue {
  for (let attempt = 0; ; attempt++) {
    const version = values[slot + VERSION]!
    const value = copyHistogram(values, slot, boundaries)
    // A lane that died while it rewrote leaves an odd version for ever.
    if ((version % 2 === 0 && values[slot + VERSION] === version) || attempt === ATTEMPTS) return value
  }
}

function copyHistogram(values: Float64Array, slot: number, boundaries: readonly number[]): HistogramValue {
  const ring = slot + EXPLICIT + boundaries.length + 1
  const first = values[slot + FIRST]!
  const last = Math.min(values[slot + LAST]!, first + EXPONENTIAL_BUCKETS - 1)
  const counts: number[] = []
  for (let index = first; index <= last; index++) counts.push(values[ring + modulo(index)]!)
  return {
    count: values[slot + COUNT]!,
    sum: values[slot + SUM]!,
    min: values[slot + MIN]!,
    max: values[slot + MAX]!,
    boundaries,
    explicit: Array.from(values.subarray(slot + EXPLICIT, ring)),
    exponential: { scale: values[slot + SCALE]!, zeroes: values[slot + ZEROES]!, offset: first, counts },
  }
}

/** Both together: what one series would be that had seen the values of both. Boundaries have to agree. */
export function mergeHistograms(a: HistogramValue, b: HistogramValue): HistogramValue {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    boundaries: a.boundaries,
    explicit: a.explicit.map((count, bucket) => count + (b.explicit[bucket] ?? 0)),
    exponential: mergeExponential(a.exponential, b.exponential),
  }
}

function mergeExponential(a: ExponentialBuckets, b: ExponentialBuckets): ExponentialBuckets {
  const zeroes = a.zeroes + b.zeroes
  if (b.counts.length === 0) return { ...a, zeroes }
  if (a.counts.length === 0) return { ...b, zeroes }
  const top = Math.min(a.scale, b.scale)
  let first = Math.min(indexAt(a, a.offset, top), indexAt(b, b.offset, top))
  let last = Math.max(indexAt(a, a.offset + a.counts.length - 1, top), indexAt(b, b.offset + b.counts.length - 1, top))
  let scale = top
  for (; last - first >= EXPONENTIAL_BUCKETS; scale--) {
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  const counts = Array.from({ length: last - first + 1 }, () => 0)
  for (const part of [a, b]) {
    part.counts.forEach((count, i) => {
      counts[indexAt(part, part.offset + i, scale) - first]! += count
    })
  }
  return { scale, zeroes, offset: first, counts }
}

/** What the bucket `index` of `buckets` is at a coarser scale. */
function indexAt(buckets: ExponentialBuckets, index: number, scale: number): number {
  return Math.floor(index / 2 ** (buckets.scale - scale))
}
