import { type Batch, makeBatch } from './batch.ts'
import { type SplitLimits, split } from './split.ts'

/**
 * Cuts a batch that is too large into batches within the limits, in order. Chunks stay whole where they fit: only one that
 * is too large by itself is rewritten. A part exceeds `maxBytes` only where one item does by itself.
 */
export function cut(batch: Batch, limits: SplitLimits): Batch[] {
  const { maxItems = Infinity, maxBytes = Infinity } = limits
  const parts: Batch[] = []
  let chunks: Uint8Array[] = []
  let items = 0
  let bytes = 0
  const close = (): void => {
    if (chunks.length > 0) parts.push(makeBatch(batch.signal, chunks, items, batch.context))
    chunks = []
    items = 0
    bytes = 0
  }
  for (const [i, chunk] of batch.chunks.entries()) {
    const count = batch.counts?.[i]
    const whole = count !== undefined && count <= maxItems && chunk.byteLength <= maxBytes
    for (const piece of whole ? [{ bytes: chunk, items: count }] : split(batch.signal, chunk, limits)) {
      // Profiles' requests refer to tables of their own, so two laid end to end are not one.
      const full = items + piece.items > maxItems || bytes + piece.bytes.byteLength > maxBytes
      if (full || batch.signal === 'profiles') close()
      chunks.push(piece.bytes)
      items += piece.items
      bytes += piece.bytes.byteLength
    }
  }
  close()
  return parts
}
