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
 * What a client is told of a failure. The status of the peer behind passes through where it makes the client do what the
 * verdict says; the verdict decides where they disagree, so that nothing is thrown away that may be sent again.
 */
export function callStatus(failure: Failure): CallStatus {
  const { grpcStatus, message, retryAfterMs, verdict } = failure
  if (verdict === 'reject') {
    const passes = grpcStatus !== undefined && grpcStatus !== GRPC.OK && !CLIENT_SENDS_AGAIN.has(grpcStatus)
    return { code: passes ? grpcStatus : GRPC.INTERNAL, message }
  }
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (verdict === 'retry' && grpcStatus !== undefined) {
    // RESOURCE_EXHAUSTED means "again" only together with a RetryInfo.
    const passes =
      CLIENT_SENDS_AGAIN.has(grpcStatus) || (grpcStatus === GRPC.RESOURCE_EXHAUSTED && retryAfterMs !== undefined)
    if (passes) return { code: grpcStatus, message, ...wait }
  }
  return { code: GRPC.UNAVAILABLE, message, ...wait }
}
