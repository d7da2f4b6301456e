import { interpretCall } from '../../src/queue/call-result.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { grpcSaysTooLarge, TOO_LARGE } from '../../src/queue/too-large.ts'
import { type CallResult, GRPC } from '../../src/transport/unary.ts'

// OTLP specification, "OTLP/gRPC Response, Failures"; RESOURCE_EXHAUSTED only with a RetryInfo.
const RETRYABLE: ReadonlySet<number> = new Set<number>([
  GRPC.CANCELLED,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.ABORTED,
  GRPC.OUT_OF_RANGE,
  GRPC.UNAVAILABLE,
  GRPC.DATA_LOSS,
])

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(GRPC).map(([name, code]) => [code, name]))

/** What a call's result means for its batch. `endpoint` names the peer in messages. */
export function sendResult(result: CallResult, endpoint: string): SendResult {
  return interpretCall(result, endpoint, ({ status: { code, message, retryAfterMs }, httpStatus }) => {
    // Who says when to come again says that the same bytes may be taken then.
    if (httpStatus === 413 || (retryAfterMs === undefined && grpcSaysTooLarge(code, message))) {
      return {
        ok: false,
        verdict: 'reject',
        reason: TOO_LARGE,
        message: `${endpoint} answered ${NAMES.get(code) ?? code}: ${message}; set max_request_size to what it takes`,
        grpcStatus: code,
        tooLarge: true,
      }
    }
    const retryable = RETRYABLE.has(code) || (code === GRPC.RESOURCE_EXHAUSTED && retryAfterMs !== undefined)
    return {
      ok: false,
      verdict: retryable ? 'retry' : 'reject',
      reason: code === GRPC.DEADLINE_EXCEEDED ? 'timeout' : retryable ? 'unavailable' : 'rejected',
      message: `${endpoint} answered ${NAMES.get(code) ?? code}: ${message}`,
      grpcStatus: code,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  })
}
