import { decodeExportResponse } from '../transport/export-response.ts'
import { type CallResult, GRPC } from '../transport/unary.ts'
import type { SendResult } from './send.ts'

const DELIVERED: SendResult = { ok: true }

type FailedCall = Extract<CallResult, { readonly ok: false }>

/**
 * What an OTLP call's result means for its batch. OTLP/gRPC and OTLP/HTTP agree about a peer that took it or was never
 * reached; what an error in the answer means, `answered` says. `peer` is its name in messages.
 */
export function interpretCall(
  result: CallResult,
  peer: string,
  answered: (failure: FailedCall) => SendResult,
): SendResult {
  if (result.ok) {
    const success = decodeExportResponse(result.response)
    if (success === undefined) {
      return {
        ok: false,
        verdict: 'reject',
        reason: 'bad_response',
        message: `${peer} took the request, but its response is no Export response`,
        grpcStatus: GRPC.INTERNAL,
      }
    }
    return success.rejected === 0 && success.message === '' ? DELIVERED : { ok: true, ...success }
  }
  if (result.connection === undefined) return answered(result)
  const { code, message } = result.status
  return {
    ok: false,
    verdict: 'retry',
    reason: 'unreachable',
    message: `cannot reach ${peer}: ${message}`,
    grpcStatus: code,
  }
}
