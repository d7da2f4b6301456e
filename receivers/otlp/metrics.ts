import type { Signal } from '../../src/otlp/batch.ts'
import type { Counter, Meter } from '../../src/telemetry/meter.ts'

/** One protocol's counters for one signal; what is accepted and refused the pipelines' entry counts. */
export interface ReceiverMetrics {
  /** Requests, not items: nobody knows how many items were in them. */
  readonly malformed: Counter
  /** Requests whose client had gone when the answer was there. */
  readonly clientGone: Counter
  /** Counts a request that was refused, by reason: by the transport before its body was whole, or by the pipeline. */
  refused(reason: string): void
}

export function receiverMetrics(
  meter: Meter,
  receiver: string,
  transport: string,
  signals: readonly Signal[],
): Partial<Record<Signal, ReceiverMetrics>> {
  const series = (signal: Signal): ReceiverMetrics => {
    const labels = { receiver, transport, data_type: signal }
    const refused = new Map<string, Counter>()
    return {
      refused(reason) {
        let counter = refused.get(reason)
        if (counter === undefined) {
          counter = meter.counter(
            'sluice_receiver_refused_requests',
            { ...labels, reason },
            { description: 'Requests that were refused, by reason.', unit: '{requests}' },
          )
          refused.set(reason, counter)
        }
        counter.add(1)
      },
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
