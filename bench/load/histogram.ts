/**
 * Durations in buckets of equal relative width: 128 to a doubling, so that what is read is off by at most 0.8 %; from 1 µs to more than an
 * hour in constant memory.
 */
const PER_DOUBLING = 128
const DOUBLINGS = 32

export interface HistogramData {
  /** Pairs of bucket and count, ascending, without the empty ones. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
}

export class Histogram {
  readonly #counts = new Float64Array(PER_DOUBLING * DOUBLINGS)
  #total = 0

  get total(): number {
    return this.#total
  }

  /** A duration in ms; below 1 µs counts as 1 µs. */
  record(ms: number, times = 1): void {
    this.#counts[bucketOf(ms)]! += times
    this.#total += times
  }

  reset(): void {
    this.#counts.fill(0)
    this.#total = 0
  }

  add(data: HistogramData): void {
    for (const [bucket, count] of data.buckets) {
      this.#counts[bucket]! += count
      this.#total += count
    }
  }

  /** The duration in ms that a share of `q` (0 to 1) does not exceed; undefined where nothing was recorded. */
  quantile(q: number): number | undefined {
    if (this.#total === 0) return undefined
    const rank = Math.max(1, Math.ceil(q * this.#total))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return middle(bucket)
    }
    return middle(this.#counts.length - 1)
  }

  data(): HistogramData {
    const buckets: [number, number][] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) buckets.push([bucket, count])
    })
    return { buckets }
  }
}

function bucketOf(ms: number): number {
  const micros = ms * 1000
  if (!(micros > 1)) return 0
  return Math.min(PER_DOUBLING * DOUBLINGS - 1, Math.floor(Math.log2(micros) * PER_DOUBLING))
}

/** In ms. */
function middle(bucket: number): number {
  return 2 ** ((bucket + 0.5) / PER_DOUBLING) / 1000
}
