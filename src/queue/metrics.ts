import type { Signal } from '../otlp/batch.ts'
import { BYTES, ITEMS } from '../telemetry/boundaries.ts'
import type { Across, Counter, Gauge, Histogram, Meter } from '../telemetry/meter.ts'

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
  /** `type` is the Collector's `error.type`; `permanent`: no later attempt would have helped. */
  sendFailed(items: number, type: string, permanent: boolean): void
  readonly enqueueFailed: Counter
  readonly queueSize: Gauge
  readonly queueCapacity: Gauge
  readonly queueBytes: Gauge
  readonly queueByteCapacity: Gauge
  readonly blocked: Gauge
  readonly inFlight: Gauge
  readonly enqueueSize: Histogram
  readonly enqueueBytes: Histogram
  readonly sendSize: Histogram
  readonly sendBytes: Histogram
  /** Requests that were cut, as too large for the next hop. */
  readonly cut: Counter
  readonly requestLimit: Gauge
}

export function exporterMetrics(meter: Meter, exporter: string, signal: Signal): ExporterMetrics {
  const labels = { exporter, data_type: signal }
  const items = ITEM_NAMES[signal]
  const unit = `{${items}}`
  const counter = (name: string, description: string): Counter =>
    meter.counter(`otelcol_exporter_${name}_${items}`, labels, { description, unit })
  const gauge = (name: string, description: string, gaugeUnit: string, across?: Across): Gauge =>
    meter.gauge(name, labels, { description, unit: gaugeUnit, ...(across !== undefined && { across }) })
  const sizes = (name: string, description: string): Histogram =>
    meter.histogram(name, labels, { description, unit: '{items}', level: 'detailed', boundaries: ITEMS })
  const byteSizes = (name: string, description: string): Histogram =>
    meter.histogram(name, labels, { description, unit: 'By', level: 'detailed', boundaries: BYTES })
  return {
    sent: counter('sent', 'Items that the peer took.'),
    sendFailed: sendFailed(meter, labels, items),
    enqueueFailed: counter('enqueue_failed', 'Items turned away because the queue had no room.'),
    queueSize: gauge(
      'otelcol_exporter_queue_size',
      'What the queue holds now, batches being sent included.',
      '{batches}',
    ),
    queueCapacity: gauge('otelcol_exporter_queue_capacity', 'The most that the queue holds.', '{batches}', 'most'),
    queueBytes: gauge('sluice_exporter_queue_bytes', 'Bytes that the queue holds now.', 'By'),
    queueByteCapacity: gauge(
      'sluice_exporter_queue_capacity_bytes',
      'The most bytes that the queue holds.',
      'By',
      'most',
    ),
    blocked: gauge(
      'sluice_exporter_blocked_requests',
      'Requests that wait for room in a full queue (`block_on_overflow`).',
      '{requests}',
    ),
    inFlight: gauge('otelcol_exporter_in_flight_requests', 'Requests that wait for their answer.', '{requests}'),
    enqueueSize: sizes('otelcol_exporter_enqueue_size', 'Items in what entered the queue.'),
    enqueueBytes: byteSizes('otelcol_exporter_enqueue_size_bytes', 'Bytes of what entered the queue.'),
    sendSize: sizes('otelcol_exporter_queue_batch_send_size', 'Items in the requests that left the queue.'),
    sendBytes: byteSizes('otelcol_exporter_queue_batch_send_size_bytes', 'Bytes of the requests that left the queue.'),
    cut: meter.counter('sluice_exporter_cut_requests', labels, {
      description: 'Requests that were cut because they were larger than the next hop takes.',
      unit: '{requests}',
    }),
    requestLimit: gauge(
      'sluice_exporter_request_limit_bytes',
      'The largest request that is sent, where there is a limit.',
      'By',
      'most',
    ),
  }
}

/** At level detailed the failures are told apart by what the Collector tells them apart by. */
function sendFailed(
  meter: Meter,
  labels: Readonly<Record<string, string>>,
  items: string,
): ExporterMetrics['sendFailed'] {
  const name = `otelcol_exporter_send_failed_${items}`
  const options = {
    description: 'Items given up on: refused for good, out of attempts, or left at the stop.',
    unit: `{${items}}`,
  }
  if (!meter.enabled('detailed')) {
    const counter = meter.counter(name, labels, options)
    return (n) => counter.add(n)
  }
  const counters = new Map<string, Counter>()
  return (n, type, permanent) => {
    const kind = `${type} ${permanent}`
    let counter = counters.get(kind)
    if (counter === undefined) {
      counter = meter.counter(name, { ...labels, 'error.type': type, 'error.permanent': `${permanent}` }, options)
      counters.set(kind, counter)
    }
    counter.add(n)
  }
}
