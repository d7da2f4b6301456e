import type { ComponentContext } from '../../src/component/contracts.ts'
import { BYTES, ITEMS } from '../../src/telemetry/boundaries.ts'

export interface BatchMetrics {
  sent(items: number, bytes: number, why: 'size' | 'timeout' | 'early' | 'stop'): void
  /** Combinations of metadata values that are held now. */
  shards(count: number): void
}

export function batchMetrics(ctx: ComponentContext, sharded: boolean): BatchMetrics {
  const { meter } = ctx
  const labels = { processor: ctx.id }
  const counter = (name: string, description: string) =>
    meter.counter(name, labels, { description, unit: '{times}', level: 'normal' })
  const sizes = meter.histogram('otelcol_processor_batch_batch_send_size', labels, {
    description: 'Items in the batches that left.',
    unit: '{items}',
    level: 'normal',
    boundaries: ITEMS,
  })
  const byteSizes = meter.histogram('otelcol_processor_batch_batch_send_size_bytes', labels, {
    description: 'Bytes of the batches that left.',
    unit: 'By',
    level: 'detailed',
    boundaries: BYTES,
  })
  const triggers = {
    size: counter('otelcol_processor_batch_batch_size_trigger_send', 'Batches that left for their size.'),
    timeout: counter('otelcol_processor_batch_timeout_trigger_send', 'Batches that left by the timeout.'),
    early: counter(
      'sluice_processor_batch_early_send',
      'Batches that left before size and timeout because senders waited.',
    ),
    stop: undefined,
  }
  // Every pipeline has an instance of its own, and each knows only its own combinations.
  const combinations = sharded
    ? meter.gauge(
        'otelcol_processor_batch_metadata_cardinality',
        { ...labels, pipeline: ctx.pipeline ?? '' },
        { description: 'Combinations of metadata values that are held.', unit: '{combinations}', level: 'normal' },
      )
    : undefined
  return {
    sent(items, bytes, why) {
      sizes.record(items)
      byteSizes.record(bytes)
      triggers[why]?.add(1)
    },
    shards: (count) => combinations?.set(count),
  }
}
