import type { IncomingHttpHeaders } from 'node:http'
import { decodeJsonExportResponse, encodeExportResponse } from './export-response.ts'
import { parseRetryAfter } from './http-status.ts'
import { decodeStatus } from './rpc-status.ts'
import { type CallResult, GRPC } from './unary.ts'

/** An answer, its content cut at `MAX_RESPONSE_BYTES`. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly content: Uint8Array
}

/** As the Collector: an OTLP response says what went wrong in far less. */
export const MAX_RESPONSE_BYTES = 64 << 10
const EMPTY = new Uint8Array(0)

/** What an answer means. `now` is in milliseconds since the Unix epoch, for `Retry-After` dates. */
export function readAnswer({ statusCode, headers, content }: HttpAnswer, now: number): CallResult {
  const type = mediaType(headers['content-type'])
  if (statusCode >= 200 && statusCode <= 299) {
    const success = exportResponse(type, content)
    if (success !== undefined) return { ok: true, response: success }
    const message = `the server took the request (HTTP ${statusCode}), but its answer is no ${type}`
    return { ok: false, status: { code: GRPC.INTERNAL, message }, httpStatus: statusCode }
  }
  const retryAfter = headers['retry-after']
  const retryAfterMs =
    (statusCode === 429 || statusCode === 503) && typeof retryAfter === 'string'
      ? parseRetryAfter(retryAfter, now)
      : undefined
  const { location } = headers
  const said =
    statusCode >= 300 && statusCode <= 399 && typeof location === 'string'
      ? `redirected to ${location}, which as the endpoint may work`
      : errorMessage(type, content)
  return {
    ok: false,
    httpStatus: statusCode,
    status: {
      code: GRPC_BY_HTTP.get(statusCode) ?? GRPC.UNKNOWN,
      message: `HTTP ${statusCode}${said === '' ? '' : `: ${said}`}`,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  }
}

// The reverse of what OTLP receivers answer, so that a client two hops back still learns what it should do.
const GRPC_BY_HTTP: ReadonlyMap<number, number> = new Map<number, number>([
  [400, GRPC.INVALID_ARGUMENT],
  [401, GRPC.UNAUTHENTICATED],
  [403, GRPC.PERMISSION_DENIED],
  [404, GRPC.UNIMPLEMENTED],
  [429, GRPC.RESOURCE_EXHAUSTED],
  [502, GRPC.UNAVAILABLE],
  [503, GRPC.UNAVAILABLE],
  [504, GRPC.UNAVAILABLE],
])

/** The protobuf form of a successful answer; undefined when it is not what its type says. */
function exportResponse(type: string, content: Uint8Array): Uint8Array | undefined {
  if (content.length === 0) return EMPTY
  if (type === 'application/x-protobuf') return content
  if (type !== 'application/json') return EMPTY
  const success = decodeJsonExportResponse(new TextDecoder().decode(content))
  return success === undefined ? undefined : encodeExportResponse(success)
}

/** What an error's body says to a person, on one line. */
function errorMessage(type: string, content: Uint8Array): string {
  if (type === 'application/x-protobuf') return decodeStatus(content)?.message ?? ''
  const text = new TextDecoder().decode(content.subarray(0, 1024)).replace(/\s+/g, ' ').trim()
  if (type === 'application/json') return /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text
  return type.startsWith('text/plain') ? text : ''
}

function mediaType(header: string | string[] | undefined): string {
  const value = Array.isArray(header) ? (header[0] ?? '') : (header ?? '')
  return value.replace(/;.*/s, '').trim().toLowerCase()
}
