import { type Batch, makeBatch, type Signal } from '../../../src/otlp/batch.ts'
import { countItems } from '../../../src/otlp/count.ts'
import { randomRequest } from '../../otlp/support/arbitraries.ts'
import { Random } from '../../otlp/support/random.ts'

/** `count` different valid batches with at least one item each; the same for a seed. */
export function someBatches(signal: Signal, count: number, seed = 1): Batch[] {
  const random = new Random(seed)
  const batches: Batch[] = []
  while (batches.length < count) {
    const { bytes } = randomRequest(signal, random, 4)
    const items = countItems(signal, bytes)
    if (items > 0) batches.push(makeBatch(signal, [bytes], items, { arrivedAt: 1, transport: 'test' }))
  }
  return batches
}

export function itemsOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { items }) => sum + items, 0)
}
