import type { Signal } from '../../src/otlp/batch.ts'

export type Stable = Exclude<Signal, 'profiles'>
export const STABLE = ['traces', 'metrics', 'logs'] as const satisfies readonly Stable[]

const SERVICES: Readonly<Record<Stable, string>> = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
}

/** The path of a signal's gRPC call, written out for peers that share no code with Sluice. */
export function exportPath(signal: Stable): string {
  return `/opentelemetry.proto.collector.${SERVICES[signal]}/Export`
}

/** One `make(signal)` for each signal, by signal. */
export function bySignal<T>(make: (signal: Stable) => T): Record<Stable, T> {
  return Object.fromEntries(STABLE.map((signal) => [signal, make(signal)])) as Record<Stable, T>
}
