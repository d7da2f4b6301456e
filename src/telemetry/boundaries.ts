/**
 * Upper bounds of histogram buckets as the Collector's pull endpoint has them, so that queries and alerts over `le` find
 * what they name.
 */

/** Seconds of a call or a request: `http.*.request.duration`, `rpc.*.call.duration`. */
export const SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Seconds of work inside the process, where a batch takes microseconds. */
export const SHORT_SECONDS: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
]

/** Seconds from a client to a backend, queues and retries included. */
export const LONG_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
]

/** Items of a batch or request: `batch_send_size`, `enqueue_size`. */
export const ITEMS: readonly number[] = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000, 30_000,
  50_000, 100_000,
]

/** Bytes of a batch or request: `batch_send_size_bytes`, `enqueue_size_bytes`. */
export const BYTES: readonly number[] = Array.from({ length: 18 }, (_, power) => 128 * 2 ** power)

/** What OpenTelemetry's SDKs take where nobody says: sizes of bodies and messages. */
export const USUAL: readonly number[] = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]
