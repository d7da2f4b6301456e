import type { Arriving } from '../component/back-pressure.ts'
import type { Batch } from '../otlp/batch.ts'
import type { QueueConfig } from './fields.ts'
import { DEFAULT_QUEUE_BYTES } from './fields.ts'
import type { ExporterMetrics } from './metrics.ts'

/** Batches that an average goes back, about. */
const AVERAGED_OVER = 16

/** How much of a queue is taken: in what `sizer` says, and in bytes beside it. */
export class Room {
  readonly #queue: QueueConfig
  readonly #maxBytes: number
  readonly #metrics: ExporterMetrics
  #size = 0
  #bytes = 0
  /** About what a batch takes of `queue_size`: of the last ones that entered, the latest counting most. 0: nothing has. */
  #usualSize = 0

  constructor(queue: QueueConfig, metrics: ExporterMetrics) {
    this.#queue = queue
    this.#maxBytes = byteLimit(queue)
    this.#metrics = metrics
    metrics.queueCapacity.set(queue.queue_size)
    if (Number.isFinite(this.#maxBytes)) metrics.queueByteCapacity.set(this.#maxBytes)
  }

  /** What the batch takes of `queue_size`. */
  sizeOf(batch: Batch): number {
    return sizeOf(batch, this.#queue.sizer)
  }

  has(batch: Batch): boolean {
    const { queue_size: most } = this.#queue
    return this.#size + this.sizeOf(batch) <= most && this.#bytes + batch.byteLength <= this.#maxBytes
  }

  /** Whether a batch that nobody has read yet would find room, behind those that are on their way. */
  hasFor({ ahead, aheadBytes, bytes }: Arriving): boolean {
    const { queue_size: most } = this.#queue
    const usual = Math.max(1, this.#usualSize)
    return this.#size + (ahead + 1) * usual <= most && this.#bytes + aheadBytes + Math.max(1, bytes) <= this.#maxBytes
  }

  /** Why the batch would not even fit an empty queue; undefined where it would. */
  tooSmallFor(batch: Batch): string | undefined {
    const { queue_size: most, sizer } = this.#queue
    const size = this.sizeOf(batch)
    const than = (what: string, key: string, limit: number): string =>
      `the batch of ${what} is larger than sending_queue.${key} (${limit}); raise it, or split batches before`
    if (size > most) return than(`${size} ${sizer}`, 'queue_size', most)
    if (batch.byteLength > this.#maxBytes) return than(`${batch.byteLength} bytes`, 'queue_size_bytes', this.#maxBytes)
    return undefined
  }

  /** How full it is, for people, and which key to raise. Without a batch: that it has no room for a usual one. */
  describe(batch?: Batch): { readonly full: string; readonly key: string } {
    const { queue_size: most, sizer } = this.#queue
    const size = batch === undefined ? Math.max(1, this.#usualSize) : this.sizeOf(batch)
    return this.#size + size > most
      ? { full: `${this.#size} of ${most} ${sizer}`, key: 'queue_size' }
      : { full: `${this.#bytes} of ${this.#maxBytes} bytes`, key: 'queue_size_bytes' }
  }

  take(batch: Batch): void {
    const size = this.sizeOf(batch)
    this.#usualSize = this.#usualSize === 0 ? size : this.#usualSize + (size - this.#usualSize) / AVERAGED_OVER
    this.#change(size, batch.byteLength)
  }

  give(batch: Batch): void {
    this.#change(-this.sizeOf(batch), -batch.byteLength)
  }

  #change(size: number, bytes: number): void {
    this.#size += size
    this.#bytes += bytes
    this.#metrics.queueSize.set(this.#size)
    this.#metrics.queueBytes.set(this.#bytes)
  }
}

function byteLimit({ queue_size_bytes: bytes, sizer }: QueueConfig): number {
  if (bytes === undefined) return sizer === 'bytes' ? Number.POSITIVE_INFINITY : DEFAULT_QUEUE_BYTES
  return bytes === 0 ? Number.POSITIVE_INFINITY : bytes
}

/** Of a batch, in requests, items or bytes. */
export function sizeOf(batch: Batch, sizer: QueueConfig['sizer']): number {
  if (sizer === 'requests') return 1
  return sizer === 'items' ? batch.items : batch.byteLength
}
