import type { SendResult } from '../../src/queue/send.ts'
import { decodeExportResponse } from '../../src/transport/export-response.ts'
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
  if (result.ok) {
    const success = decodeExportResponse(result.response)
    if (success === undefined) {
      return {
        ok: false,
        verdict: 'reject',
        reason: 'bad_response',
        message: `${endpoint} took the request, but its response is no Export response`,
        grpcStatus: GRPC.INTERNAL,
      }
    }
    return success.rejected === 0 && success.message === '' ? DELIVERED : { ok: true, ...success }
  }
  const { code, message, retryAfterMs } = result.status
  if (result.connection !== undefined) {
    return {
      ok: false,
      verdict: 'retry',
      reason: 'unreachable',
      message: `cannot reach ${endpoint}: ${message}`,
      grpcStatus: code,
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
}

const DELIVERED: SendResult = { ok: true }
