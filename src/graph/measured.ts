import type { Consumer } from '../component/delivery.ts'
import type { Signal } from '../otlp/batch.ts'
import { LONG_SECONDS, SHORT_SECONDS } from '../telemetry/boundaries.ts'
import type { Histogram, Meter } from '../telemetry/meter.ts'

/** How long a batch takes through a pipeline, from its arrival (of the oldest request in it) to the outcome of all exporters. */
export function pipelineDuration(meter: Meter, pipeline: string): Histogram {
  return meter.histogram(
    'sluice_pipeline_duration',
    { pipeline },
    {
      description: 'Seconds from the arrival of a batch, of the oldest request in it, to the outcome of all exporters.',
      unit: 's',
      level: 'normal',
      boundaries: LONG_SECONDS,
    },
  )
}

/** Counts what goes into a batch processor and what comes out, and how long it works. */
export interface Measured {
  /** What the processor is handed as `next`. */
  readonly next: Consumer
  /** In the place of the processor. */
  around(processor: Consumer): Consumer
}

/**
 * The Collector's figures of one processor. Work counts as far as it is done while a batch is handed in, without what
 * those behind it do meanwhile; what a timer starts later does not.
 */
export function measured(id: string, signal: Signal, meter: Meter, next: Consumer): Measured {
  const labels = { processor: id, 'otel.signal': signal }
  const incoming = meter.counter('otelcol_processor_incoming_items', labels, {
    description: 'Number of items passed to the processor.',
    unit: '{items}',
  })
  const outgoing = meter.counter('otelcol_processor_outgoing_items', labels, {
    description: 'Number of items emitted from the processor.',
    unit: '{items}',
  })
  const duration = meter.histogram('otelcol_processor_internal_duration', labels, {
    description: 'Seconds of a processor on a batch, without those behind it; fused processors count as one.',
    unit: 's',
    boundaries: SHORT_SECONDS,
  })
  if (!meter.enabled('basic')) return { next, around: (processor) => processor }
  /** Seconds, within one `consume`, of those behind. */
  let behind = 0
  return {
    next: {
      acknowledges: next.acknowledges,
      refusing: next.refusing,
      consume(delivery) {
        outgoing.add(delivery.batch.items)
        const started = performance.now()
        next.consume(delivery)
        behind += performance.now() - started
      },
    },
    around: (processor) => ({
      acknowledges: processor.acknowledges,
      refusing: processor.refusing,
      consume(delivery) {
        incoming.add(delivery.batch.items)
        const started = performance.now()
        behind = 0
        processor.consume(delivery)
        duration.record(Math.max(0, performance.now() - started - behind) / 1000)
      },
    }),
  }
}
