import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { LONGEST_TIMER_MS } from '../clock.ts'
import { connectionError } from './connection-error.ts'
import { GrpcChannel } from './grpc-channel.ts'
import { isOutOfStreams } from './grpc-client-call.ts'
import type { GrpcConnection } from './grpc-connection.ts'
import { NO_HTTP2 } from './grpc-socket.ts'
import type { HttpAnswer } from './http-answer.ts'
import { formatHostPort } from './listen-address.ts'
import type { ProxyServer } from './proxy-tunnel.ts'
import type { ClientTls } from './tls.ts'

export interface Http2Options {
  readonly tls: ClientTls
  readonly proxy?: ProxyServer
  /** A connection is asked whether the server is there this often; 0: never. */
  readonly readIdleMs: number
  /** A connection that does not answer that for so long is given up. */
  readonly pingTimeoutMs: number
  /** A connection without requests is closed after this long; absent: never. */
  readonly idleTimeoutMs?: number
  /** See `ConnectionOptions`. */
  readonly sessionMemoryMb?: number
}

// Shorter than gRPC's: HTTP/1.1 dials for every request, and the exporter's retries wait on top of it.
const BACKOFF = { firstMs: 100, factor: 1.6, maxMs: 5000, jitter: 0.2 }
const WAIT_MS = 60_000
/** After a request without an answer. */
const PROBE_MS = 5000

/**
 * Requests to one `https` server over one HTTP/2 connection, which is gRPC's with other requests on it. undici's own HTTP/2 resets
 * streams once a connection has 10 MB to send (Node's `maxSessionMemory`, which it does not set).
 */
export class Http2Origin {
  readonly #channel: GrpcChannel
  readonly #options: Http2Options
  readonly #authority: string
  #running = 0
  #idle: NodeJS.Timeout | undefined

  constructor(url: URL, options: Http2Options) {
    this.#options = options
    this.#authority = url.host
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = url.port === '' ? 443 : Number(url.port)
    const { proxy, readIdleMs, pingTimeoutMs, sessionMemoryMb } = options
    this.#channel = new GrpcChannel({
      target: {
        name: undefined,
        addresses: [{ host, port }],
        secure: true,
        shown: url.host,
        authority: formatHostPort(host, port),
      },
      tls: options.tls,
      protocols: ['h2', 'http/1.1'],
      backoff: BACKOFF,
      probeTimeoutMs: Math.min(pingTimeoutMs, PROBE_MS),
      ...(proxy !== undefined && { proxy }),
      ...(sessionMemoryMb !== undefined && { sessionMemoryMb }),
      ...(readIdleMs > 0 && {
        keepalive: { everyMs: readIdleMs, timeoutMs: pingTimeoutMs, withoutCalls: true },
      }),
    })
  }

  /** The answer; undefined where the server speaks HTTP/1.1 only. `limit` is in bytes, of the content that is read. */
  async post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
    limit: number,
  ): Promise<HttpAnswer | undefined> {
    const sent = {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': this.#authority,
      ':path': path,
      ...headers,
      'content-length': String(body.length),
    }
    this.#begin()
    try {
      for (let attempts = 1; ; attempts++) {
        const connection = await this.#connection(signal)
        if (connection === undefined) return undefined
        try {
          return await exchange(connection, sent, body, signal, limit)
        } catch (error) {
          // A stream that a GOAWAY leaves out was not looked at: once more, on the next connection.
          if (attempts > 1 || !(error instanceof RefusedStreamError)) throw error
        }
      }
    } finally {
      this.#end()
    }
  }

  async #connection(signal: AbortSignal): Promise<GrpcConnection | undefined> {
    for (;;) {
      signal.throwIfAborted()
      const connection = this.#channel.pick()
      if (connection !== undefined) return connection
      const { failure } = this.#channel
      if (failure?.code === NO_HTTP2) return undefined
      if (failure !== undefined) throw connectionError(failure.code, failure.text)
      await Promise.race([this.#channel.changed(WAIT_MS), aborted(signal)])
    }
  }

  /** Requests are under way. */
  get busy(): boolean {
    return this.#running > 0
  }

  #begin(): void {
    this.#running++
    clearTimeout(this.#idle)
  }

  #end(): void {
    const { idleTimeoutMs } = this.#options
    if (--this.#running > 0 || idleTimeoutMs === undefined) return
    this.#idle = setTimeout(() => this.#channel.drain(), Math.min(idleTimeoutMs, LONGEST_TIMER_MS))
    this.#idle.unref()
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#channel.close()
  }
}

class RefusedStreamError extends Error {
  override readonly name = 'RefusedStreamError'
  readonly code = 'ECONNRESET'
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** One request and its answer. Rejects with why there is none. */
function exchange(
  connection: GrpcConnection,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
  limit: number,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const stream: ClientHttp2Stream = connection.session.request(headers)
    connection.callBegins()
    let answer: IncomingHttpHeaders | undefined
    let broken: Error | undefined
    const parts: Uint8Array[] = []
    let length = 0
    const cut = (): void => {
      // Not when the stream has closed, which a connection that takes nothing puts off.
      reject(signal.reason as Error)
      stream.close(constants.NGHTTP2_CANCEL)
      connection.probe()
    }
    signal.addEventListener('abort', cut, { once: true })
    stream.on('response', (received) => {
      answer = received
    })
    stream.on('data', (part: Uint8Array) => {
      if (length < limit) parts.push(part.subarray(0, limit - length))
      length += part.length
      // What comes after it is nobody's.
      if (length >= limit) stream.close(constants.NGHTTP2_CANCEL)
    })
    stream.on('error', (error) => {
      broken ??= error
    })
    let whole = false
    stream.on('end', () => {
      whole = true
    })
    stream.on('close', () => {
      connection.callEnds()
      if (!stream.writableFinished) connection.abandoned(body.length)
      signal.removeEventListener('abort', cut)
      if (signal.aborted) reject(signal.reason as Error)
      else if (answer !== undefined && (whole || length >= limit)) {
        resolve({ statusCode: Number(answer[':status']), headers: answer, content: Buffer.concat(parts) })
      } else reject(lost(connection, stream, broken))
    })
    stream.end(body)
  })
}

function lost(connection: GrpcConnection, stream: ClientHttp2Stream, broken: Error | undefined): Error {
  const { rstCode } = stream
  if (isOutOfStreams(broken)) {
    connection.drain()
    return new RefusedStreamError('the connection is used up')
  }
  if (rstCode === constants.NGHTTP2_REFUSED_STREAM) return new RefusedStreamError('the server refused the stream')
  if (!connection.session.destroyed && rstCode !== undefined) {
    return connectionError('ECONNRESET', `the server ended the request with HTTP/2 error ${rstCode}`)
  }
  connection.failure ??= broken?.cause as NodeJS.ErrnoException | undefined
  return connectionError(connection.failure?.code ?? 'ECONNRESET', `connection lost: ${connection.failureText}`)
}
