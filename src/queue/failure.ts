import type { Failure } from '../component/delivery.ts'
import { GRPC } from '../transport/unary.ts'
import type { SendFailure } from './send.ts'

/** Status codes as grpc-go prints them, which is how the Collector labels them. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(GRPC).map(([name, code]) => [
    code,
    name === 'CANCELLED'
      ? 'Canceled'
      : name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ]),
)

/** The Collector's `error.type` of a failure: `Shutdown`, `Canceled`, a gRPC status' name, else `_OTHER`. */
export function errorType({ verdict, reason, grpcStatus }: Failure): string {
  if (verdict === 'stopping') return 'Shutdown'
  if (reason === 'client_gone') return 'Canceled'
  return (grpcStatus === undefined ? undefined : NAMES.get(grpcStatus)) ?? '_OTHER'
}

/** What an exporter tells of a failure; `from` is what the peer said of the last attempt. */
export function failureOf(
  exporter: string,
  verdict: Failure['verdict'],
  reason: string,
  text: string,
  from?: SendFailure,
): Failure {
  const grpcStatus = from?.grpcStatus
  return {
    verdict,
    reason,
    message: `exporter ${exporter}: ${text}`,
    ...(from?.retryAfterMs !== undefined && { retryAfterMs: from.retryAfterMs }),
    ...(grpcStatus !== undefined && { grpcStatus }),
  }
}

/** Of a sender that gave up. Should the answer still reach it, its time was up: its clock is not ours. */
export function clientGone(exporter: string, text: string): Failure {
  return { ...failureOf(exporter, 'retry', 'client_gone', text), grpcStatus: GRPC.DEADLINE_EXCEEDED }
}
