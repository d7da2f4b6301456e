import type { Gauge, Meter } from '../telemetry/meter.ts'

/** `sluice_component_healthy` of one component, `receiver otlp`. */
export function healthGauge(meter: Meter, component: string): Gauge {
  return meter.gauge(
    'sluice_component_healthy',
    { component },
    {
      description: '1 while a component that reports its health is well, 0 while it is not in some lane.',
      across: 'least',
    },
  )
}
