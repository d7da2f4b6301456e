import type { Signal } from '../otlp/batch.ts'
import type { Counter, Gauge, Meter } from '../telemetry/meter.ts'

/** What the Collector's metrics call the items of a signal. */
export const ITEM_NAMES: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
  profiles: 'profile_samples',
}

/** One exporter's series for one signal, under the Collector's names. */
export interface ExporterMetrics {
  readonly sent: Counter
  readonly sendFailed: Counter
  readonly enqueueFailed: Counter
  readonly queueSize: Gauge
  readonly queueCapacity: Gauge
  readonly inFlight: Gauge
}

export function exporterMetrics(meter: Meter, exporter: string, signal: Signal): ExporterMetrics {
  const labels = { exporter, data_type: signal }
  const items = ITEM_NAMES[signal]
  const unit = `{${items}}`
  const counter = (name: string, description: string): Counter =>
    meter.counter(`otelcol_exporter_${name}_${items}`, labels, { description, unit })
  const gauge = (name: string, description: string, gaugeUnit: string): Gauge =>
    meter.gauge(`otelcol_exporter_${name}`, labels, { description, unit: gaugeUnit })
  return {
    sent: counter('sent', 'Items that the peer took.'),
    sendFailed: counter('send_failed', 'Items given up on: refused for good, out of attempts, or left at the stop.'),
    enqueueFailed: counter('enqueue_failed', 'Items turned away because the queue had no room.'),
    queueSize: gauge('queue_size', 'What the queue holds now, batches being sent included.', '{batches}'),
    queueCapacity: gauge('queue_capacity', 'The most that the queue holds.', '{batches}'),
    inFlight: gauge('in_flight_requests', 'Requests that wait for their answer.', '{requests}'),
  }
}
