import { cutDelivery } from '../component/cut-delivery.ts'
import { apart, type Delivery } from '../component/delivery.ts'
import type { Batch } from '../otlp/batch.ts'
import type { SplitLimits } from '../otlp/split.ts'

/**
 * Parts repeat the resource and scope of their records. One of megabytes over thousands of records would become gigabytes:
 * such a batch is sent as it is, and cut in two, if that helps, where the peer refuses it.
 */
const MOST_GROWTH = 8

/**
 * The parts of a delivery that is larger than `maxBytes`, each of at most that size where its records allow; undefined where
 * it stays whole.
 */
export function cutToSize(delivery: Delivery, maxBytes: number): readonly Delivery[] | undefined {
  return partsOf(delivery, [evenly(delivery.batch, maxBytes), upTo(maxBytes)])
}

/** The parts of a delivery that was refused for its size: at most half of it, or `maxBytes`, or in two as well as can be. */
export function cutSmaller(delivery: Delivery, maxBytes: number): readonly Delivery[] | undefined {
  const { batch } = delivery
  const smaller = Math.min(maxBytes, Math.floor(batch.byteLength / 2))
  return partsOf(delivery, [evenly(batch, smaller), upTo(smaller), inTwo(batch)])
}

/** By the first of the limits that cuts it; undefined where none does. */
function partsOf(delivery: Delivery, limits: readonly SplitLimits[]): readonly Delivery[] | undefined {
  try {
    for (const each of limits) {
      const parts = cutDelivery(delivery, each, apart)
      if (parts.length > 1) return parts
    }
  } catch {
    // Its bytes are not OTLP; the peer will say so.
  }
  return undefined
}

/**
 * As many parts as a size asks for, but of about the same size, with some room for what each repeats: no crumb is left.
 * Few records leave no choice.
 */
function evenly({ byteLength, items }: Batch, maxBytes: number): SplitLimits {
  const parts = Math.floor(byteLength / maxBytes) + 1
  if (items < 20 * parts) return upTo(maxBytes)
  return { maxBytes: Math.min(maxBytes, Math.ceil((byteLength / parts) * 1.05)), maxGrowth: 1.05 }
}

/** As large as a size allows, where records or what is around them are large. */
function upTo(maxBytes: number): SplitLimits {
  return { maxBytes, maxGrowth: MOST_GROWTH }
}

/** Two parts, if that makes them at all smaller than the whole. */
function inTwo({ items }: Batch): SplitLimits {
  return { maxItems: Math.max(1, Math.ceil(items / 2)), maxGrowth: 1.9 }
}
