import type { Arriving } from '../component/back-pressure.ts'
import type { Batch } from '../otlp/batch.ts'
import type { QueueConfig } from './fields.ts'
import { DEFAULT_QUEUE_BYTES } from './fields.ts'
import type { ExporterMetrics } from './metrics.ts'
import type { QueueShare } from './queue-share.ts'

/** Batches that an average goes back, about. */
const AVERAGED_OVER = 16

function average(usual: number, last: number): number {
  return usual === 0 ? last : usual + (last - usual) / AVERAGED_OVER
}

/**
 * How much of a queue is taken: in what `sizer` says, and in bytes beside it, in all lanes together. A lane that holds nothing
 * may always take one batch: those that wait in a lane for room are let in when something leaves it there.
 */
export class Room {
  readonly #queue: QueueConfig
  readonly #maxBytes: number
  readonly #metrics: ExporterMetrics
  readonly #share: QueueShare
  /** About what a batch takes of both: of the last ones that entered, the latest counting most. 0: nothing has. */
  #usualSize = 0
  #usualBytes = 0
  /** How often anything entered or left. */
  changes = 0

  constructor(queue: QueueConfig, metrics: ExporterMetrics, share: QueueShare) {
    this.#queue = queue
    this.#share = share
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
    const { size, bytes } = this.#taken(0)
    return size + this.sizeOf(batch) <= most && bytes + batch.byteLength <= this.#maxBytes
  }

  /** Whether a batch that nobody has read yet would find room, behind those that are on their way. */
  hasFor({ ahead, aheadBytes, bytes }: Arriving): boolean {
    const { queue_size: most } = this.#queue
    const usual = Math.max(1, this.#usualSize)
    const taken = this.#taken(ahead)
    if (taken.size + (ahead + 1) * usual > most) return false
    // No queue is ever empty enough for that, so only the batch can tell: it is refused for good, or comes smaller than it was sent.
    if (bytes > this.#maxBytes) return true
    return taken.bytes + aheadBytes + Math.max(1, bytes) <= this.#maxBytes
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

  /** How full it is, for people, and which key to raise. Without a batch: for one that nobody has read. */
  describe(batch?: Batch): { readonly full: string; readonly key: string } {
    const { queue_size: most, sizer } = this.#queue
    const size = batch === undefined ? Math.max(1, this.#usualSize) : this.sizeOf(batch)
    const taken = this.#taken(1)
    if (taken.size + size > most) return { full: `${taken.size} of ${most} ${sizer}`, key: 'queue_size' }
    if (taken.bytes + (batch?.byteLength ?? this.#usualBytes) > this.#maxBytes) {
      return { full: `${taken.bytes} of ${this.#maxBytes} bytes`, key: 'queue_size_bytes' }
    }
    // Only beside those that were let in before.
    const held = `${taken.size} of ${most} ${sizer}, ${taken.bytes} of ${this.#maxBytes} bytes, and the rest is on its way`
    return { full: held, key: Number.isFinite(this.#maxBytes) ? 'queue_size_bytes' : 'queue_size' }
  }

  take(batch: Batch): void {
    const size = this.sizeOf(batch)
    this.#usualSize = average(this.#usualSize, size)
    this.#usualBytes = average(this.#usualBytes, batch.byteLength)
    this.#change(size, batch.byteLength)
  }

  give(batch: Batch): void {
    this.#change(-this.sizeOf(batch), -batch.byteLength)
  }

  #change(size: number, bytes: number): void {
    this.#share.change(size, bytes)
    this.changes++
    this.#metrics.queueSize.set(this.#share.size)
    this.#metrics.queueBytes.set(this.#share.bytes)
  }

  /** Of all lanes; of this one alone where it holds nothing and nothing is on its way here. */
  #taken(ahead: number): { readonly size: number; readonly bytes: number } {
    const { size, bytes, othersSize, othersBytes } = this.#share
    return size === 0 && ahead === 0 ? { size, bytes } : { size: size + othersSize, bytes: bytes + othersBytes }
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
