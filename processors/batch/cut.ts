import { type Batch, makeBatch } from '../../src/otlp/batch.ts'
import { split } from '../../src/otlp/split.ts'

/**
 * Cuts a batch that is too large into batches of at most `maxItems` items, in order. Chunks stay whole where they fit:
 * only one that is too large by itself is rewritten.
 */
export function cut(batch: Batch, maxItems: number): Batch[] {
  const parts: Batch[] = []
  let chunks: Uint8Array[] = []
  let items = 0
  const close = (): void => {
    if (chunks.length > 0) parts.push(makeBatch(batch.signal, chunks, items, batch.context))
    chunks = []
    items = 0
  }
  for (const chunk of batch.chunks) {
    for (const piece of split(batch.signal, chunk, { maxItems })) {
      if (items + piece.items > maxItems) close()
      chunks.push(piece.bytes)
      items += piece.items
    }
  }
  close()
  return parts
}
