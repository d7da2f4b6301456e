import { interpretCall } from '../../src/queue/call-result.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { httpSaysTooLarge, TOO_LARGE } from '../../src/queue/too-large.ts'
import { type CallResult, GRPC } from '../../src/transport/unary.ts'

// OTLP specification, "OTLP/HTTP Response, Failures": these and no others.
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** What a call's result means for its batch. `url` names the peer in messages. */
export function sendResult(result: CallResult, url: string): SendResult {
  return interpretCall(result, url, ({ httpStatus, status: { code, message, retryAfterMs } }) => {
    if (httpStatus === undefined) {
      const [verdict, reason] =
        code === GRPC.DEADLINE_EXCEEDED ? (['retry', 'timeout'] as const) : (['reject', 'not_sendable'] as const)
      return { ok: false, verdict, reason, message: `${url}: ${message}`, grpcStatus: code }
    }
    if (httpSaysTooLarge(httpStatus, message)) {
      return {
        ok: false,
        verdict: 'reject',
        reason: TOO_LARGE,
        message: `${url} answered ${message}; set max_request_size to what it takes`,
        grpcStatus: code,
        tooLarge: true,
      }
    }
    const retryable = RETRYABLE.has(httpStatus)
    return {
      ok: false,
      verdict: retryable ? 'retry' : 'reject',
      reason: retryable ? 'unavailable' : 'rejected',
      message: `${url} answered ${message}`,
      grpcStatus: code,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  })
}
