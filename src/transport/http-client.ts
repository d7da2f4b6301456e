import { type Dispatcher, Pool } from 'undici'
import { SIGNALS, type Signal } from '../otlp/batch.ts'
import { compress, type Encoding, joined } from './compression.ts'
import { connectionFailureText } from './connection-error.ts'
import { decodeJsonExportResponse, encodeExportResponse } from './export-response.ts'
import { parseRetryAfter } from './http-status.ts'
import { decodeStatus } from './rpc-status.ts'
import type { ClientTls } from './tls.ts'
import { type CallOptions, type CallResult, type Client, GRPC } from './unary.ts'

export interface HttpClientOptions {
  /** Where each signal goes: absolute URLs. Calls of a signal without one fail. */
  readonly urls: Readonly<Partial<Record<Signal, string>>>
  /** Sent with every request; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly userAgent: string
  /** Makes the body of the chunks, where it is not the chunks themselves. */
  readonly encode?: (signal: Signal, chunks: readonly Uint8Array[]) => Uint8Array
  readonly contentType: 'application/x-protobuf' | 'application/json'
  /** Absent: bodies leave as they are. */
  readonly compression?: Encoding
  readonly compressionLevel?: number
  readonly tls?: ClientTls
  /** Most connections to one server; without a limit one is made whenever all are busy. */
  readonly maxConnections?: number
  /** An idle connection is closed after this long, in milliseconds. */
  readonly idleTimeoutMs?: number
  /** Off: one request a connection. */
  readonly keepAlives?: boolean
  /** Milliseconds since the Unix epoch, for `Retry-After` dates. */
  readonly now: () => number
}

// As the Collector: an OTLP response says what went wrong in far less.
const MAX_RESPONSE_BYTES = 64 << 10
const CONNECT_TIMEOUT_MS = 20_000
const EMPTY = new Uint8Array(0)

/** A client of OTLP/HTTP over undici's pools, which cost a tenth of global `fetch`. */
export function httpClient(options: HttpClientOptions): Client {
  return new HttpClient(options)
}

class HttpClient implements Client {
  readonly #options: HttpClientOptions
  readonly #headers: Readonly<Record<string, string>>
  readonly #pools = new Map<string, Pool>()
  readonly #targets = new Map<Signal, { readonly pool: Pool; readonly path: string }>()

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#headers = {
      'user-agent': options.userAgent,
      'content-type': options.contentType,
      ...options.headers,
      // `zlib` under that name, as the Collector sends it: its receivers may be told to take nothing else.
      ...(options.compression !== undefined && { 'content-encoding': options.compression }),
    }
    for (const signal of SIGNALS) {
      const url = options.urls[signal]
      if (url !== undefined) this.#targets.set(signal, this.#target(url))
    }
  }

  async call(signal: Signal, chunks: readonly Uint8Array[], options: CallOptions): Promise<CallResult> {
    const { compression, compressionLevel, encode, keepAlives = true } = this.#options
    const target = this.#targets.get(signal)
    if (target === undefined) {
      options.release?.()
      return { ok: false, status: { code: GRPC.UNIMPLEMENTED, message: `no URL for ${signal}` } }
    }
    let body: Uint8Array
    try {
      const plain = encode === undefined ? chunks : [encode(signal, chunks)]
      if (compression !== undefined) body = await compress(compression, plain, compressionLevel)
      // undici does not say when it has let go of a body, so whoever wants to know gets a copy sent.
      else body = options.release !== undefined && plain === chunks ? Buffer.concat(plain) : joined(plain)
    } finally {
      options.release?.()
    }
    const abort = new AbortController()
    let timedOut = false
    const timer =
      options.timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            timedOut = true
            abort.abort()
          }, options.timeoutMs)
    try {
      const response = await target.pool.request({
        path: target.path,
        method: 'POST',
        headers: this.#headers,
        body,
        signal: abort.signal,
        reset: !keepAlives,
        // The timer above is the limit, in finer steps than undici's.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      const content = await readAtMost(response.body, MAX_RESPONSE_BYTES)
      return this.#result(response, content)
    } catch (error) {
      if (timedOut) {
        const message = `no answer within ${(options.timeoutMs / 1000).toFixed(1)} s`
        return { ok: false, status: { code: GRPC.DEADLINE_EXCEEDED, message } }
      }
      return connectionFailure(error)
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }

  #target(url: string): { readonly pool: Pool; readonly path: string } {
    const { origin, pathname, search } = new URL(url)
    let pool = this.#pools.get(origin)
    if (pool === undefined) {
      const { idleTimeoutMs, maxConnections, tls: secure } = this.#options
      pool = new Pool(origin, {
        connections: maxConnections ?? null,
        allowH2: false,
        connect: { ...secure, timeout: CONNECT_TIMEOUT_MS },
        ...(idleTimeoutMs !== undefined && {
          keepAliveTimeout: idleTimeoutMs,
          keepAliveMaxTimeout: Math.max(idleTimeoutMs, 600_000),
        }),
      })
      this.#pools.set(origin, pool)
    }
    return { pool, path: pathname + search }
  }

  #result(response: Dispatcher.ResponseData, content: Uint8Array): CallResult {
    const { statusCode } = response
    const type = mediaType(response.headers['content-type'])
    if (statusCode >= 200 && statusCode <= 299) {
      const success = exportResponse(type, content)
      if (success !== undefined) return { ok: true, response: success }
      const message = `the server took the request (HTTP ${statusCode}), but its answer is no ${type}`
      return { ok: false, status: { code: GRPC.INTERNAL, message }, httpStatus: statusCode }
    }
    const retryAfter = response.headers['retry-after']
    const retryAfterMs =
      (statusCode === 429 || statusCode === 503) && typeof retryAfter === 'string'
        ? parseRetryAfter(retryAfter, this.#options.now())
        : undefined
    const said = errorMessage(type, content)
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

/** The body as far as `limit`; what comes after it is thrown away, with the connection where there is much. */
async function readAtMost(body: Dispatcher.ResponseData['body'], limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body as AsyncIterable<Uint8Array>) {
    parts.push(part.subarray(0, limit - length))
    length += part.length
    // Leaving the loop destroys the body, and with it the connection.
    if (length >= limit) break
  }
  return joined(parts)
}

function connectionFailure(error: unknown): CallResult {
  const failure = error as NodeJS.ErrnoException
  const message = connectionFailureText(failure)
  return { ok: false, status: { code: GRPC.UNAVAILABLE, message }, connection: failure.code ?? 'ECONNRESET' }
}
