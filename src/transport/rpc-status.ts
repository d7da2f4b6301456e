import { bytesField, varintField, visitFields } from './protobuf-fields.ts'
import type { CallStatus } from './unary.ts'

const RETRY_INFO_TYPE = 'type.googleapis.com/google.rpc.RetryInfo'
const utf8 = new TextEncoder()
const text = new TextDecoder()

/** `google.rpc.Status`, serialized; `retryAfterMs` becomes a `google.rpc.RetryInfo` among its details. */
export function encodeStatus(status: CallStatus): Uint8Array {
  const out = varintField(1, status.code)
  if (status.message !== '') out.push(...bytesField(2, utf8.encode(status.message)))
  if (status.retryAfterMs !== undefined) {
    const any = [
      ...bytesField(1, utf8.encode(RETRY_INFO_TYPE)),
      ...bytesField(2, bytesField(1, encodeDuration(status.retryAfterMs))),
    ]
    out.push(...bytesField(3, any))
  }
  return Uint8Array.from(out)
}

/** Reads `google.rpc.Status`; undefined when the bytes are none. */
export function decodeStatus(bytes: Uint8Array): CallStatus | undefined {
  let code = 0
  let message = ''
  let retryAfterMs: number | undefined
  const whole = visitFields(bytes, (field, value) => {
    if (field === 1 && typeof value === 'number') code = value
    else if (field === 2 && typeof value !== 'number') message = text.decode(value)
    else if (field === 3 && typeof value !== 'number') retryAfterMs = decodeRetryInfo(value) ?? retryAfterMs
  })
  if (!whole) return undefined
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

function encodeDuration(ms: number): number[] {
  const seconds = Math.floor(ms / 1000)
  const nanos = Math.round((ms - seconds * 1000) * 1e6)
  return [...(seconds > 0 ? varintField(1, seconds) : []), ...(nanos > 0 ? varintField(2, nanos) : [])]
}

/** Milliseconds in an `Any` that holds a RetryInfo. */
function decodeRetryInfo(any: Uint8Array): number | undefined {
  let type = ''
  let info: Uint8Array | undefined
  visitFields(any, (field, value) => {
    if (typeof value === 'number') return
    if (field === 1) type = text.decode(value)
    else if (field === 2) info = value
  })
  if (!type.endsWith('/google.rpc.RetryInfo')) return undefined
  // An empty RetryInfo, or one of zero seconds, still says "you may try again".
  let ms = 0
  if (info !== undefined) {
    visitFields(info, (field, value) => {
      if (field !== 1 || typeof value === 'number') return
      visitFields(value, (part, amount) => {
        if (typeof amount !== 'number') return
        if (part === 1) ms += amount * 1000
        else if (part === 2) ms += amount / 1e6
      })
    })
  }
  return Math.max(0, ms)
}

/** `grpc-message`: printable ASCII stays, all else and `%` is percent-encoded UTF-8 (gRPC over HTTP/2, "Status-Message"). */
export function encodeGrpcMessage(message: string): string {
  if (!/[^\x20-\x24\x26-\x7e]/.test(message)) return message
  let out = ''
  for (const byte of utf8.encode(message)) {
    out +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** Undoes `encodeGrpcMessage`; what is not a valid escape stays as it is, as the specification asks. */
export function decodeGrpcMessage(value: string): string {
  if (!value.includes('%')) return value
  const bytes: number[] = []
  for (let i = 0; i < value.length; i++) {
    const escaped = value.charAt(i) === '%' ? /^[0-9a-fA-F]{2}$/.exec(value.slice(i + 1, i + 3)) : null
    if (escaped !== null) {
      bytes.push(Number.parseInt(escaped[0], 16))
      i += 2
    } else {
      bytes.push(...utf8.encode(value.charAt(i)))
    }
  }
  return text.decode(Uint8Array.from(bytes))
}

let last: { readonly status: CallStatus; readonly trailers: Readonly<Record<string, string>> } | undefined

/** Header pairs of a failed gRPC call; the caller adds what comes before a trailers-only response. */
export function statusTrailers(status: CallStatus): Readonly<Record<string, string>> {
  // Where thousands are refused in a second, many in a row are for the same status.
  if (last?.status !== status) last = { status, trailers: trailersOf(status) }
  return last.trailers
}

function trailersOf(status: CallStatus): Record<string, string> {
  return {
    'grpc-status': String(status.code),
    ...(status.message !== '' && { 'grpc-message': encodeGrpcMessage(status.message) }),
    ...(status.retryAfterMs !== undefined && {
      'grpc-status-details-bin': Buffer.from(encodeStatus(status)).toString('base64').replace(/=+$/, ''),
    }),
  }
}

/** The status in a call's trailers (or in the headers of a trailers-only response); undefined where there is none. */
export function readTrailers(trailers: {
  readonly [name: string]: string | string[] | undefined
}): CallStatus | undefined {
  const code = trailers['grpc-status']
  if (typeof code !== 'string') return undefined
  const message = trailers['grpc-message']
  const details = trailers['grpc-status-details-bin']
  const detailed = typeof details === 'string' ? decodeStatus(Buffer.from(details, 'base64')) : undefined
  return {
    code: /^\d{1,3}$/.test(code) ? Number(code) : 2,
    message: typeof message === 'string' ? decodeGrpcMessage(message) : (detailed?.message ?? ''),
    ...(detailed?.retryAfterMs !== undefined && { retryAfterMs: detailed.retryAfterMs }),
  }
}
