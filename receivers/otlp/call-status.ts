import type { Failure } from '../../src/component/delivery.ts'
import { type CallStatus, GRPC } from '../../src/transport/unary.ts'

/** gRPC statuses after which an OTLP client sends again (OTLP specification, "Failures"). */
const CLIENT_SENDS_AGAIN: ReadonlySet<number> = new Set<number>([
  GRPC.CANCELLED,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.ABORTED,
  GRPC.OUT_OF_RANGE,
  GRPC.UNAVAILABLE,
  GRPC.DATA_LOSS,
])

/**
 * How long a client is asked to wait, in ms, where nobody behind said so. A client that is told nothing picks its own delay,
 * and some take a refusal without RetryInfo or Retry-After for a final one. Short where room is a matter of moments; longer
 * where a peer has to come back first.
 */
const RETRY_AFTER_MS = 1000
const PEER_RETRY_AFTER_MS = 5000
const PEER_REASONS: ReadonlySet<string> = new Set(['unreachable', 'unavailable', 'timeout'])

/**
 * What a client is told of a failure. The status of the peer behind passes through where it makes the client do what the
 * verdict says; the verdict decides where they disagree, so that nothing is thrown away that may be sent again.
 */
export function callStatus(failure: Failure): CallStatus {
  const { grpcStatus, message, reason, retryAfterMs, verdict } = failure
  if (verdict === 'reject') {
    const passes = grpcStatus !== undefined && grpcStatus !== GRPC.OK && !CLIENT_SENDS_AGAIN.has(grpcStatus)
    return { code: passes ? grpcStatus : GRPC.INTERNAL, message }
  }
  const fallback = PEER_REASONS.has(reason) ? PEER_RETRY_AFTER_MS : RETRY_AFTER_MS
  const wait = { retryAfterMs: retryAfterMs ?? fallback }
  if (verdict === 'retry' && grpcStatus !== undefined) {
    // RESOURCE_EXHAUSTED means "again" only together with a RetryInfo, which is there.
    if (CLIENT_SENDS_AGAIN.has(grpcStatus) || grpcStatus === GRPC.RESOURCE_EXHAUSTED) {
      return { code: grpcStatus, message, ...wait }
    }
  }
  return { code: GRPC.UNAVAILABLE, message, ...wait }
}
