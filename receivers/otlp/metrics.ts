import type { Signal } from '../../src/otlp/batch.ts'
import type { Counter, Meter } from '../../src/telemetry/meter.ts'

/** One protocol's counters for one signal; what is accepted and refused the pipelines' entry counts. */
export interface ReceiverMetrics {
  /** Requests, not items: nobody knows how many items were in them. */
  readonly malformed: Counter
  /** Requests whose client had gone when the answer was there. */
  readonly clientGone: Counter
}

export function receiverMetrics(
  meter: Meter,
  receiver: string,
  transport: string,
  signals: readonly Signal[],
): Partial<Record<Signal, ReceiverMetrics>> {
  const series = (signal: Signal): ReceiverMetrics => {
    const labels = { receiver, transport, data_type: signal }
    return {
      malformed: meter.counter('sluice_receiver_malformed_requests', labels, {
        description: 'Requests that were no OTLP and were refused.',
        unit: '{requests}',
      }),
      clientGone: meter.counter('sluice_receiver_client_gone_requests', labels, {
        description: 'Requests whose client had gone before it could be answered.',
        unit: '{requests}',
      }),
    }
  }
  return Object.fromEntries(signals.map((signal) => [signal, series(signal)]))
}
