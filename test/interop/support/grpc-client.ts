import { Client, credentials } from '@grpc/grpc-js'
import { STABLE, type Stable } from './telemetry.ts'

const SERVICES: Readonly<Record<Stable, string>> = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
}

/** Sends one serialized request by @grpc/grpc-js; rejects with what the server answered. */
export async function exportGrpc(address: string, signal: Stable, request: Uint8Array): Promise<void> {
  const client = new Client(address, credentials.createInsecure())
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  try {
    await new Promise<void>((resolve, reject) => {
      const path = `/opentelemetry.proto.collector.${SERVICES[signal]}/Export`
      client.makeUnaryRequest(path, raw, raw, request, (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    client.close()
  }
}

/** One `make(signal)` for each signal, by signal. */
export function bySignal<T>(make: (signal: Stable) => T): Record<Stable, T> {
  return Object.fromEntries(STABLE.map((signal) => [signal, make(signal)])) as Record<Stable, T>
}
