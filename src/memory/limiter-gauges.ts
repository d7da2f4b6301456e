import type { Gauge, Meter } from '../telemetry/meter.ts'

/** Limits and measure of one memory limiter, `processor memory_limiter`. */
export function limiterGauges(
  meter: Meter,
  component: string,
): { readonly soft: Gauge; readonly hard: Gauge; readonly used: Gauge } {
  const limit = (name: 'soft' | 'hard'): Gauge =>
    meter.gauge(
      'sluice_memory_limiter_limit_bytes',
      { component, limit: name },
      {
        description: 'From here on data is refused (soft), and garbage collected at once (hard).',
        unit: 'By',
        across: 'most',
      },
    )
  return {
    soft: limit('soft'),
    hard: limit('hard'),
    used: meter.gauge(
      'sluice_memory_limiter_used_bytes',
      { component },
      { description: 'Memory of the whole process, as the limiter measures it.', unit: 'By', across: 'most' },
    ),
  }
}
