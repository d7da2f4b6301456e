import { arenas } from '../otlp/arena.ts'
import { cut } from '../otlp/cut.ts'
import type { SplitLimits } from '../otlp/split.ts'
import { type Delivery, split } from './delivery.ts'

/**
 * `split` or `apart` by size: a delivery whose batch exceeds the limits as several that do not, in order; one that cannot be cut, or need not be, as
 * it is. What had to be written for a part is freed when that part is settled. Throws WireError where the bytes are
 * malformed.
 */
export function cutDelivery(delivery: Delivery, limits: SplitLimits, how: typeof split = split): readonly Delivery[] {
  const { batch } = delivery
  const { maxItems = Infinity, maxBytes = Infinity } = limits
  if (batch.items <= maxItems && batch.byteLength <= maxBytes) return [delivery]
  const before = new Set(batch.chunks)
  const parts = cut(batch, limits)
  if (parts.length < 2) {
    for (const { chunks } of parts) releaseOthers(chunks, before)
    return [delivery]
  }
  return how(delivery, parts, ({ chunks }) => releaseOthers(chunks, before))
}

function releaseOthers(chunks: readonly Uint8Array[], than: ReadonlySet<Uint8Array>): void {
  for (const chunk of chunks) if (!than.has(chunk)) arenas.release(chunk)
}
