import type { FinishedSpan } from './tracer.ts'

/** Upper bounds of latency in ms, as Go's zPages have them; the last bucket is everything above. */
export const LATENCY_BOUNDS_MS: readonly number[] = [0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000]

/** Spans kept of each name in each bucket of latency, and of those that failed: the last ones. */
const SAMPLES = 10
/** Names that are kept; what comes after them is counted under no name. */
const NAMES = 500

/** What is known of the spans of one name. */
export interface SpanSummary {
  readonly name: string
  /** How many ended without an error, by latency: one more than there are bounds. */
  readonly counts: readonly number[]
  readonly errors: number
  /** The last of each bucket, newest first; those with an error after them. */
  readonly samples: readonly (readonly FinishedSpan[])[]
  readonly errorSamples: readonly FinishedSpan[]
}

interface Entry {
  readonly counts: number[]
  errors: number
  readonly samples: FinishedSpan[][]
  readonly errorSamples: FinishedSpan[]
}

/** The last sampled spans, by name and latency, for pages that people look at. */
export class SpanBook {
  readonly #entries = new Map<string, Entry>()

  add(span: FinishedSpan): void {
    let entry = this.#entries.get(span.name)
    if (entry === undefined) {
      if (this.#entries.size >= NAMES) return
      const buckets = LATENCY_BOUNDS_MS.length + 1
      entry = {
        counts: Array.from({ length: buckets }, () => 0),
        errors: 0,
        samples: Array.from({ length: buckets }, () => []),
        errorSamples: [],
      }
      this.#entries.set(span.name, entry)
    }
    if (span.error !== undefined) {
      entry.errors++
      keep(entry.errorSamples, span)
      return
    }
    const found = LATENCY_BOUNDS_MS.findIndex((bound) => span.durationMs < bound)
    const bucket = found < 0 ? LATENCY_BOUNDS_MS.length : found
    entry.counts[bucket]!++
    keep(entry.samples[bucket]!, span)
  }

  /** By name. */
  read(): readonly SpanSummary[] {
    return [...this.#entries]
      .map(([name, entry]) => ({ name, ...entry }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}

function keep(samples: FinishedSpan[], span: FinishedSpan): void {
  samples.unshift(span)
  if (samples.length > SAMPLES) samples.pop()
}
