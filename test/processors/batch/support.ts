import type { BatchSettings } from '../../../processors/batch/processor.ts'
import { BatchProcessor } from '../../../processors/batch/processor.ts'
import type { Acknowledgement } from '../../../src/component/delivery.ts'
import type { BatchContext, Signal } from '../../../src/otlp/batch.ts'
import { testContext } from '../../support/context.ts'
import { opaqueBatch, Sink, type Tracked, track } from '../../support/deliveries.ts'

/** A batch processor with the Collector's defaults before a sink that the test plays. */
export function rig(behind: Acknowledgement, settings: Partial<BatchSettings> = {}) {
  const ctx = testContext({ kind: 'processor', id: 'batch', pipeline: 'traces' })
  const next = new Sink(behind)
  const processor = new BatchProcessor(
    {
      timeoutMs: 200,
      triggerItems: 8192,
      maxItems: Number.POSITIVE_INFINITY,
      metadataKeys: [],
      maxShards: 1000,
      ...settings,
    },
    ctx,
    next,
  )
  const consume = (items: number, options: { signal?: Signal; context?: Partial<BatchContext> } = {}): Tracked => {
    const tracked = track(opaqueBatch(items, options.signal, options.context))
    processor.consume(tracked.delivery)
    return tracked
  }
  return { ctx, next, processor, consume }
}
