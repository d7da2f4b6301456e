import type { Signal } from '../otlp/batch.ts'
import { decodeExportResponse } from './export-response.ts'
import { jsonBody } from './json-body.ts'
import type { Reservation } from './reservation.ts'
import { encodeStatus } from './rpc-status.ts'
import type { CallStatus } from './unary.ts'

/** How OTLP/HTTP is written: an answer as its request was (OTLP specification, "OTLP/HTTP Response"). */
export interface AnswerFormat {
  /** Media type of both, request and answer. */
  readonly type: string
  /** A `google.rpc.Status`. */
  status(status: CallStatus): Uint8Array | string
  /** An `Export…ServiceResponse`, handed in serialized; empty is plain success. */
  response(signal: Signal, serialized: Uint8Array): Uint8Array | string
  /** Puts a request's body as protobuf in its place; absent where it is that already. Throws WireError. */
  toProtobuf?(reservation: Reservation, signal: Signal, limit: number): CallStatus | undefined
}

export const PROTOBUF_ANSWERS: AnswerFormat = {
  type: 'application/x-protobuf',
  status: encodeStatus,
  response: (_signal, serialized) => serialized,
}

const REJECTED_ITEMS: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
}

export const JSON_ANSWERS: AnswerFormat = {
  type: 'application/json',
  toProtobuf: jsonBody,
  status({ code, message, retryAfterMs }) {
    const details =
      retryAfterMs === undefined
        ? []
        : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: jsonDuration(retryAfterMs) }]
    return JSON.stringify({ code, message, ...(details.length > 0 && { details }) })
  },
  response(signal, serialized) {
    // As the Collector writes plain success.
    if (serialized.length === 0) return '{"partialSuccess":{}}'
    const partial = decodeExportResponse(serialized)
    const { rejected = 0, message = '' } = partial ?? {}
    return JSON.stringify({
      partialSuccess: {
        // int64 is a string in protobuf's JSON.
        ...(rejected > 0 && { [REJECTED_ITEMS[signal]]: String(rejected) }),
        ...(message !== '' && { errorMessage: message }),
      },
    })
  },
}

/** `google.protobuf.Duration` as protobuf's JSON has it: seconds with no, three, six or nine digits after the point. */
function jsonDuration(ms: number): string {
  const nanos = Math.round(ms * 1e6)
  const seconds = Math.floor(nanos / 1e9)
  const rest = nanos - seconds * 1e9
  if (rest === 0) return `${seconds}s`
  const digits = String(rest)
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')
  return `${seconds}.${digits}s`
}
