import type { TraceContext } from './trace-context.ts'

/** The four OpenTelemetry signals, spelled as pipeline ids spell them. */
export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles'

export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs', 'profiles']

/** What is known of where a batch came from. Plain data: it crosses threads and survives a queue on disk. */
export interface BatchContext {
  /** How it came in: `grpc`, `http`, …; the `transport` label of the receiver's metrics. */
  readonly transport?: string
  /** Address of the client, `host:port`, where there is one. */
  readonly peer?: string
  /** Request headers or gRPC metadata, lower-case names; only where the receiver was told to keep them. */
  readonly metadata?: Readonly<Record<string, readonly string[]>>
  /** What the receiver's authenticator learned of the client, by attribute. */
  readonly auth?: Readonly<Record<string, string | readonly string[]>>
  /** The span that stands above what is done with it, of a sampled request. */
  readonly trace?: TraceContext
  /** Milliseconds since the Unix epoch at which the receiver had the whole request. */
  readonly arrivedAt: number
}

/**
 * Serialized OTLP of one signal. Immutable.
 *
 * Every chunk is a whole `Export<Signal>ServiceRequest` of its own, so chunks laid end to end are the request of all of
 * them (repeated fields merge), and each can be indexed, edited or dropped alone. Batching is adding to this list.
 */
export interface Batch {
  readonly signal: Signal
  readonly chunks: readonly Uint8Array[]
  /** Spans, data points, log records or profile samples in all chunks. */
  readonly items: number
  /** Sum of the chunks' lengths. */
  readonly byteLength: number
  /** The items of each chunk; absent where that is not known, or there is one chunk. */
  readonly counts?: readonly number[]
  readonly context: BatchContext
}

export function makeBatch(signal: Signal, chunks: readonly Uint8Array[], items: number, context: BatchContext): Batch {
  let byteLength = 0
  for (const chunk of chunks) byteLength += chunk.byteLength
  return { signal, chunks, items, byteLength, context }
}

/** Batches of one signal, laid end to end: whole requests laid so are the request of all of them. Not for profiles. */
export function joinBatches(batches: readonly Batch[], metadata: BatchContext['metadata']): Batch {
  const chunks: Uint8Array[] = []
  let counts: number[] | undefined = []
  let items = 0
  let arrivedAt = Number.POSITIVE_INFINITY
  for (const batch of batches) {
    if (batch.chunks.length === 1) counts?.push(batch.items)
    else if (batch.counts === undefined) counts = undefined
    else for (const count of batch.counts) counts?.push(count)
    for (const chunk of batch.chunks) chunks.push(chunk)
    items += batch.items
    arrivedAt = Math.min(arrivedAt, batch.context.arrivedAt)
  }
  const joined = makeBatch(batches[0]!.signal, chunks, items, { arrivedAt, ...(metadata && { metadata }) })
  return counts === undefined ? joined : { ...joined, counts }
}
