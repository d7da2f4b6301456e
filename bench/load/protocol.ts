/** What the runner and the load process say to each other over the IPC channel: one `Command`, one `Reply`. */
import type { Shape } from '../payload/payload.ts'
import type { HistogramData } from './histogram.ts'

export type Protocol = 'grpc' | 'http'
export type Coding = 'gzip' | 'zstd'

/** What clients do. */
export interface Load extends Shape {
  /** How requests come in. */
  readonly protocol: Protocol
  readonly connections: number
  /** Requests in flight on each connection at most; HTTP/1.1 has as many connections more instead. */
  readonly inFlight: number
  /** Bodies are compressed once and sent again and again: their trace ids repeat. */
  readonly compression?: Coding
  /**
   * Open loop: items a second, due at fixed times whatever the answers do; the latency of a request counts from the time it was due.
   * If absent, each request follows the answer to the one before (closed loop).
   */
  readonly itemsPerSecond?: number
  /** How long a refused client waits before its next request. */
  readonly pauseMs?: number
  /** After this long a client gives a request up; gRPC calls say so in `grpc-timeout`. */
  readonly timeoutMs?: number
}

export interface SinkOptions {
  readonly protocol: Protocol
  /** Items a second that the sink takes; all if absent. */
  readonly itemsPerSecond?: number
}

export type Command =
  | { readonly do: 'listen'; readonly sink: SinkOptions }
  | { readonly do: 'start'; readonly port: number; readonly load: Load }
  | { readonly do: 'warm'; readonly pid: number; readonly cpuMs: number; readonly atMostMs: number }
  | { readonly do: 'measure'; readonly pid: number; readonly ms: number }
  | { readonly do: 'drain' }

export interface Sample {
  /** Since the window began. */
  readonly ms: number
  readonly rssMib: number
}

export interface Window {
  readonly ms: number
  /** CPU that the engine's process took, user and system, in µs. Resolution: a tick of 10 ms. */
  readonly cpuMicros: number
  /** CPU that the load process took itself, in µs. */
  readonly loadMicros: number
  /** Items that reached the sink. */
  readonly items: number
  /** Items whose requests were answered with success. */
  readonly acknowledged: number
  /** Requests that were answered, whatever the answer. */
  readonly requests: number
  /** Bytes of bodies, as they were on the wire, that reached the sink. */
  readonly outBytes: number
  /** From the time a request was due to its answer; successes only. */
  readonly latency: HistogramData
  /** The most memory that the engine's process has had, since its start. */
  readonly peakRssMib: number
  readonly memory: readonly Sample[]
}

export interface Totals {
  readonly sent: number
  readonly acknowledged: number
  readonly delivered: number
  /** Requests refused with a status that OTLP clients may retry; how many of them named a delay. */
  readonly refused: number
  readonly refusedWithDelay: number
  /** Requests that a client gave up after `timeoutMs`. */
  readonly timedOut: number
  /** Numbers of requests that were acknowledged and did not arrive; undefined where requests carry no numbers. */
  readonly missing?: number
  /** Every other answer, each text once. */
  readonly failures: readonly string[]
}

export type Reply = { readonly port: number } | { readonly done: true } | { readonly failed: string } | Window | Totals
