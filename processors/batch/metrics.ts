import type { ComponentContext } from '../../src/component/contracts.ts'

export interface BatchMetrics {
  sent(items: number, why: 'size' | 'timeout' | 'early' | 'stop'): void
  /** Combinations of metadata values that are held now. */
  shards(count: number): void
}

export function batchMetrics(ctx: ComponentContext, sharded: boolean): BatchMetrics {
  const labels = { processor: ctx.id }
  const counter = (name: string, description: string, unit: string) =>
    ctx.meter.counter(name, labels, { description, unit })
  // The Collector's is a histogram; its sum and count, which dashboards divide, have the same names here.
  const sizes = counter('otelcol_processor_batch_batch_send_size_sum', 'Items in all batches that left.', '{items}')
  const sends = counter('otelcol_processor_batch_batch_send_size_count', 'Batches that left.', '{batches}')
  const triggers = {
    size: counter('otelcol_processor_batch_batch_size_trigger_send', 'Batches that left for their size.', '{times}'),
    timeout: counter('otelcol_processor_batch_timeout_trigger_send', 'Batches that left by the timeout.', '{times}'),
    early: counter(
      'sluice_processor_batch_early_send',
      'Batches that left before size and timeout because senders waited.',
      '{times}',
    ),
    stop: undefined,
  }
  // Every pipeline has an instance of its own, and each knows only its own combinations.
  const combinations = sharded
    ? ctx.meter.gauge(
        'otelcol_processor_batch_metadata_cardinality',
        { ...labels, pipeline: ctx.pipeline ?? '' },
        { description: 'Combinations of metadata values that are held.', unit: '{combinations}' },
      )
    : undefined
  return {
    sent(items, why) {
      sizes.add(items)
      sends.add(1)
      triggers[why]?.add(1)
    },
    shards: (count) => combinations?.set(count),
  }
}
