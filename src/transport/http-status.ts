import { GRPC } from './unary.ts'

// As the Collector's OTLP receiver answers (its `httphelper`); what is not here is 500.
const HTTP_BY_GRPC: ReadonlyMap<number, number> = new Map<number, number>([
  [GRPC.CANCELLED, 503],
  [GRPC.DEADLINE_EXCEEDED, 503],
  [GRPC.ABORTED, 503],
  [GRPC.OUT_OF_RANGE, 503],
  [GRPC.UNAVAILABLE, 503],
  [GRPC.DATA_LOSS, 503],
  [GRPC.RESOURCE_EXHAUSTED, 429],
  [GRPC.INVALID_ARGUMENT, 400],
  [GRPC.UNAUTHENTICATED, 401],
  [GRPC.PERMISSION_DENIED, 403],
  [GRPC.UNIMPLEMENTED, 404],
])

/** The HTTP status that tells an OTLP client what this gRPC status would. */
export function httpStatusOf(grpcStatus: number): number {
  return HTTP_BY_GRPC.get(grpcStatus) ?? 500
}

/** `Retry-After` in whole seconds, rounded up; HTTP has no finer. */
export function formatRetryAfter(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)))
}

/** Milliseconds in a `Retry-After` header: seconds or an HTTP date (RFC 9110, section 10.2.3), which `now` is taken from. */
export function parseRetryAfter(value: string, now: number): number | undefined {
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
