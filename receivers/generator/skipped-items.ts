import type { Signal } from '../../src/otlp/batch.ts'
import type { Counter, Meter } from '../../src/telemetry/meter.ts'

/** What was due and not made, because earlier items were still on their way. */
export function skippedItems(meter: Meter, receiver: string, signal: Signal): Counter {
  return meter.counter(
    'sluice_generator_skipped_items',
    { receiver, signal },
    { description: 'Items that were not made because earlier ones were still on their way.', unit: '{items}' },
  )
}
