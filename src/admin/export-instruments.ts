import type { Counter, Meter } from '../telemetry/meter.ts'

/** Exports of own telemetry that did not arrive. */
export function exportFailures(meter: Meter, signal: string): Counter {
  return meter.counter(
    'sluice_telemetry_export_failures',
    { signal },
    {
      description:
        'Exports of own telemetry that did not arrive; metrics are told again by the next, other signals are lost.',
      unit: '{exports}',
    },
  )
}

/** Own log lines and spans that never left. */
export function exportDrops(meter: Meter, signal: string): Counter {
  return meter.counter(
    'sluice_telemetry_dropped_items',
    { signal },
    { description: 'Own log lines and spans that found no room to wait in, or whose export failed.', unit: '{items}' },
  )
}
