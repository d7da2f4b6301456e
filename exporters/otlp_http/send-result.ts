import type { SendResult } from '../../src/queue/send.ts'
import { decodeExportResponse } from '../../src/transport/export-response.ts'
import { type CallResult, GRPC } from '../../src/transport/unary.ts'

// OTLP specification, "OTLP/HTTP Response, Failures": these and no others.
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** What a call's result means for its batch. `url` names the peer in messages. */
export function sendResult(result: CallResult, url: string): SendResult {
  if (result.ok) {
    const success = decodeExportResponse(result.response)
    if (success === undefined) {
      return {
        ok: false,
        verdict: 'reject',
        reason: 'bad_response',
        message: `${url} took the request, but its response is no Export response`,
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
      message: `cannot reach ${url}: ${message}`,
      grpcStatus: code,
    }
  }
  if (result.httpStatus === undefined) {
    return { ok: false, verdict: 'retry', reason: 'timeout', message: `${url}: ${message}`, grpcStatus: code }
  }
  const retryable = RETRYABLE.has(result.httpStatus)
  return {
    ok: false,
    verdict: retryable ? 'retry' : 'reject',
    reason: retryable ? 'unavailable' : 'rejected',
    message: `${url} answered ${message}`,
    grpcStatus: code,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

const DELIVERED: SendResult = { ok: true }
