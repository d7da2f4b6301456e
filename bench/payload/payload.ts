import type { Signal } from '../../src/otlp/batch.ts'
import { logsRequest } from './logs.ts'
import { metricsRequest } from './metrics.ts'
import { type TraceShape, traceRequest } from './traces.ts'

/** The signals that benches send. */
export type BenchSignal = Exclude<Signal, 'profiles'>

/** What one request looks like. */
export interface Shape extends Omit<TraceShape, 'seed'> {
  readonly signal: BenchSignal
}

const MAKE: Readonly<Record<BenchSignal, (shape: TraceShape) => Uint8Array<ArrayBuffer>>> = {
  traces: traceRequest,
  logs: logsRequest,
  metrics: metricsRequest,
}

/** One serialized export request; the same shape and seed give the same bytes. */
export function request(shape: Shape, seed: number): Uint8Array<ArrayBuffer> {
  return MAKE[shape.signal]({ ...shape, seed })
}
