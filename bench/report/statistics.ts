/** What the benches print of repeated measurements. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

export function median(values: readonly number[]): number {
  return spread(values).median
}

/** `1.23 (1.20–1.31)`, or `1.23` where there is only one. */
export function show({ median, min, max }: Spread, digits: number): string {
  if (min === max) return median.toFixed(digits)
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}
