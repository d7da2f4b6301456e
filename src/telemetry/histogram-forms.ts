import type { ExponentialBuckets, HistogramValue } from './histogram-cell.ts'

/**
 * The same histogram with other explicit buckets. Exact where the bounds are those that it was counted by; else from the
 * exponential buckets, each of which goes whole to the bound next above its middle: off by half of one's width at most.
 */
export function reBucketed(value: HistogramValue, boundaries: readonly number[]): HistogramValue {
  const same = boundaries.length === value.boundaries.length && boundaries.every((b, i) => b === value.boundaries[i])
  if (same) return value
  const { scale, offset, counts, zeroes } = value.exponential
  const explicit = Array.from({ length: boundaries.length + 1 }, () => 0)
  const bucketOf = (size: number): number => {
    const found = boundaries.findIndex((bound) => size <= bound)
    return found < 0 ? boundaries.length : found
  }
  if (zeroes > 0) explicit[bucketOf(0)]! += zeroes
  counts.forEach((count, i) => {
    if (count > 0) explicit[bucketOf(2 ** ((offset + i + 0.5) / 2 ** scale))]! += count
  })
  return { ...value, boundaries, explicit }
}

/** The same histogram no finer than `scale` and with no more than `size` buckets. */
export function atMost(value: HistogramValue, scale: number, size: number): HistogramValue {
  let buckets: ExponentialBuckets = value.exponential
  while (buckets.scale > scale || buckets.counts.length > size) buckets = coarser(buckets)
  return { ...value, exponential: buckets }
}

/** One scale coarser: neighbours in pairs, an even index and the odd one after it. */
function coarser({ scale, zeroes, offset, counts }: ExponentialBuckets): ExponentialBuckets {
  const first = Math.floor(offset / 2)
  const last = Math.floor((offset + counts.length - 1) / 2)
  const merged = Array.from({ length: counts.length === 0 ? 0 : last - first + 1 }, () => 0)
  counts.forEach((count, i) => {
    merged[Math.floor((offset + i) / 2) - first]! += count
  })
  return { scale: scale - 1, zeroes, offset: first, counts: merged }
}

/** What came to a histogram since `before`, whose values are part of it. Minimum and maximum of a span of time are not known. */
export function since(now: HistogramValue, before: HistogramValue | undefined): HistogramValue {
  if (before === undefined) return now
  const older = atMost(before, now.exponential.scale, Number.POSITIVE_INFINITY).exponential
  const newer = now.exponential
  const counts = newer.counts.map((count, i) => count - (older.counts[newer.offset + i - older.offset] ?? 0))
  return {
    ...now,
    count: now.count - before.count,
    sum: now.sum - before.sum,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    explicit: now.explicit.map((count, i) => count - (before.explicit[i] ?? 0)),
    exponential: { ...newer, zeroes: newer.zeroes - older.zeroes, counts },
  }
}
