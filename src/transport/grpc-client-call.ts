import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { LONGEST_TIMER_MS } from '../clock.ts'
import { arenas } from '../otlp/arena.ts'
import type { GrpcConnection } from './grpc-connection.ts'
import { MessageReader, messagePrefix } from './grpc-message.ts'
import { readResponse } from './grpc-response.ts'
import { formatGrpcTimeout } from './grpc-timeout.ts'
import { readTrailers } from './rpc-status.ts'
import { type CallResult, type CallStatus, GRPC } from './unary.ts'

/** One attempt's end. */
export interface Attempt {
  readonly result: CallResult
  /** The peer said that it did not look at the call, or was never reached: the same bytes again are no duplicate. */
  readonly unprocessed: boolean
}

export interface AttemptOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: readonly Uint8Array[]
  readonly compressed: boolean
  /** Milliseconds that are left; Infinity for no limit. */
  readonly timeoutMs: number
  /** Runs once nothing references the chunks any more: it may be later than the result, and comes always. */
  readonly written: () => void
}

// Export responses are a few bytes; whoever sends more is no OTLP server.
const MAX_RESPONSE_BYTES = 4 << 20
const CALL = Symbol('call')

interface CallStream extends ClientHttp2Stream {
  [CALL]?: ClientCall
}

/** Sends one unary call on `connection`. Never rejects. */
export function attemptCall(connection: GrpcConnection, options: AttemptOptions): Promise<Attempt> {
  return new Promise((resolve) => {
    try {
      new ClientCall(connection, options, resolve)
    } catch (error) {
      // node:http2 refuses to send such headers. The same call would be refused again.
      options.written()
      const message = `the request cannot be sent: ${(error as Error).message}`
      resolve({ result: { ok: false, status: { code: GRPC.INTERNAL, message } }, unprocessed: false })
    }
  })
}

class ClientCall {
  readonly #connection: GrpcConnection
  readonly #stream: CallStream
  readonly #options: AttemptOptions
  readonly #timer: NodeJS.Timeout | undefined
  #resolve: ((attempt: Attempt) => void) | undefined
  #reader: MessageReader | undefined
  #httpStatus = 0
  #encoding: string | undefined
  #trailers: CallStatus | undefined
  #error: Error | undefined
  #written = false
  /** Bytes of the message. */
  #length = 0

  constructor(connection: GrpcConnection, options: AttemptOptions, resolve: (attempt: Attempt) => void) {
    this.#connection = connection
    this.#options = options
    this.#resolve = resolve
    const limited = options.timeoutMs !== Number.POSITIVE_INFINITY
    const headers: OutgoingHttpHeaders = { ...options.headers }
    if (limited) headers['grpc-timeout'] = formatGrpcTimeout(options.timeoutMs)
    const stream: CallStream = connection.session.request(headers)
    connection.callBegins()
    stream[CALL] = this
    this.#stream = stream
    stream.on('response', onHeaders)
    stream.on('trailers', onTrailers)
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('error', onError)
    stream.on('close', onClose)
    this.#timer = limited ? setTimeout(onTimeout, Math.min(options.timeoutMs, LONGEST_TIMER_MS), this) : undefined
    this.#send(options.chunks)
  }

  /** Corked, all goes to the socket by one write, and one callback speaks for every chunk. */
  #send(chunks: readonly Uint8Array[]): void {
    const stream = this.#stream
    let length = 0
    for (const chunk of chunks) length += chunk.length
    this.#length = length
    stream.cork()
    stream.write(messagePrefix(length, this.#options.compressed))
    const last = chunks.length - 1
    for (let i = 0; i < last; i++) stream.write(chunks[i]!)
    stream.write(last < 0 ? EMPTY : chunks[last]!, () => this.#letGo())
    stream.end()
    stream.uncork()
  }

  /** A session that is being destroyed calls writes back at once, though its socket may still be at them. */
  #letGo(): void {
    const { session, ended } = this.#connection
    if (session.destroyed && !ended) session.once('close', () => this.#wrote())
    else this.#wrote()
  }

  #wrote(): void {
    if (this.#written) return
    this.#written = true
    this.#options.written()
  }

  headers(headers: IncomingHttpHeaders): void {
    this.#httpStatus = Number(headers[':status'])
    this.#encoding = headers['grpc-encoding'] as string | undefined
    // In a response without a body the trailers are the headers.
    this.#trailers = readTrailers(headers)
    const type = headers['content-type']
    if (this.#httpStatus !== 200 || this.#trailers !== undefined || type?.startsWith('application/grpc') === true)
      return
    // Read as messages, a page of HTML would be one of 1 GB.
    const message = `the server answered with content type "${type ?? ''}", which is not gRPC; is this its gRPC port?`
    this.#finish({ ok: false, status: { code: GRPC.UNKNOWN, message }, httpStatus: 200 }, false)
  }

  trailers(headers: IncomingHttpHeaders): void {
    this.#trailers = readTrailers(headers) ?? this.#trailers
  }

  data(chunk: Uint8Array): void {
    if (this.#httpStatus !== 200 || this.#resolve === undefined) return
    this.#reader ??= new MessageReader(MAX_RESPONSE_BYTES)
    const problem = this.#reader.push(chunk)
    if (problem !== undefined) this.#finish(noAnswer(problem), false)
  }

  ended(): void {
    if (this.#trailers === undefined && (this.#httpStatus === 200 || this.#httpStatus === 0)) return
    this.#finish(this.#answer(), false)
  }

  failed(error: Error): void {
    this.#error ??= error
  }

  timedOut(): void {
    const seconds = this.#options.timeoutMs / 1000
    const message = `no answer within ${seconds.toFixed(1)} s`
    this.#finish({ ok: false, status: { code: GRPC.DEADLINE_EXCEEDED, message } }, false)
    this.#connection.probe()
  }

  closed(): void {
    if (!this.#stream.writableFinished) this.#connection.abandoned(this.#length)
    if (!this.#written) this.#writtenAfterClose()
    if (this.#resolve === undefined) return
    if (this.#trailers !== undefined) this.#finish(this.#answer(), false)
    else this.#broke()
  }

  /**
   * The stream is closed but its bytes may still be on their way through the socket. A stream that never got its number
   * handed none over, and its write never calls back; a connection that ends forgets its writes.
   */
  #writtenAfterClose(): void {
    const { session, ended } = this.#connection
    if (this.#stream.id === undefined || ended) setImmediate(() => this.#wrote())
    else session.once('close', () => this.#wrote())
  }

  #answer(): CallResult {
    const status = this.#trailers
    if (status === undefined) {
      const code = HTTP_TO_GRPC.get(this.#httpStatus) ?? GRPC.UNKNOWN
      return {
        ok: false,
        status: { code, message: `the server answered with HTTP status ${this.#httpStatus} and no gRPC status` },
        httpStatus: this.#httpStatus,
      }
    }
    if (status.code !== GRPC.OK) return { ok: false, status }
    const response = readResponse(this.#reader, this.#encoding, MAX_RESPONSE_BYTES)
    return response instanceof Uint8Array ? { ok: true, response } : noAnswer(response)
  }

  /** Without an answer: by the peer's RST_STREAM, or with the connection. */
  #broke(): void {
    const rst = this.#stream.rstCode ?? 0
    const connection = this.#connection
    if (isOutOfStreams(this.#error)) {
      connection.drain()
      this.#finish({ ok: false, status: { code: GRPC.UNAVAILABLE, message: 'the connection is used up' } }, true)
    } else if (rst === constants.NGHTTP2_REFUSED_STREAM) {
      this.#finish({ ok: false, status: { code: GRPC.UNAVAILABLE, message: 'the peer refused the stream' } }, true)
    } else if (connection.session.destroyed) {
      // The session's own error event comes after its streams have closed.
      connection.failure ??= this.#error?.cause as NodeJS.ErrnoException | undefined
      const code = connection.failure?.code ?? 'ECONNRESET'
      const message = `connection lost: ${connection.failureText}`
      this.#finish({ ok: false, status: { code: GRPC.UNAVAILABLE, message }, connection: code }, false)
    } else if (rst === 0) {
      const message = 'the server ended the call without a gRPC status; does a proxy on the way drop HTTP/2 trailers?'
      this.#finish({ ok: false, status: { code: GRPC.INTERNAL, message } }, false)
    } else {
      const code = RST_TO_GRPC.get(rst) ?? GRPC.INTERNAL
      this.#finish({ ok: false, status: { code, message: `stream ended with HTTP/2 error ${rst}` } }, false)
    }
  }

  #finish(result: CallResult, unprocessed: boolean): void {
    const resolve = this.#resolve
    if (resolve === undefined) return
    this.#resolve = undefined
    clearTimeout(this.#timer)
    this.#connection.callEnds()
    // The result has a copy of what it needs.
    if (this.#reader !== undefined) arenas.release(this.#reader.message)
    this.#reader = undefined
    // Stops what is not sent or received yet; nothing where both sides are through.
    if (!this.#stream.closed && !(this.#stream.writableFinished && this.#stream.readableEnded)) {
      this.#stream.close(constants.NGHTTP2_CANCEL)
    }
    resolve({ result, unprocessed })
  }
}

const EMPTY = new Uint8Array(0)

/** A connection has a billion streams, which are some months of calls. */
export function isOutOfStreams(error: Error | undefined): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_HTTP2_OUT_OF_STREAMS'
}

/** What came is no answer of a gRPC server. The request was taken all the same, so it is not tried again. */
function noAnswer(problem: CallStatus): CallResult {
  return { ok: false, status: { code: GRPC.INTERNAL, message: `the server's answer is malformed: ${problem.message}` } }
}

// gRPC: "HTTP to gRPC Status Code Mapping".
const HTTP_TO_GRPC: ReadonlyMap<number, number> = new Map<number, number>([
  [400, GRPC.INTERNAL],
  [401, GRPC.UNAUTHENTICATED],
  [403, GRPC.PERMISSION_DENIED],
  [404, GRPC.UNIMPLEMENTED],
  [429, GRPC.UNAVAILABLE],
  [502, GRPC.UNAVAILABLE],
  [503, GRPC.UNAVAILABLE],
  [504, GRPC.UNAVAILABLE],
])

// gRPC over HTTP/2, "Errors"; what is not here is INTERNAL.
const RST_TO_GRPC: ReadonlyMap<number, number> = new Map<number, number>([
  [constants.NGHTTP2_CANCEL, GRPC.CANCELLED],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, GRPC.RESOURCE_EXHAUSTED],
  [constants.NGHTTP2_INADEQUATE_SECURITY, GRPC.PERMISSION_DENIED],
])

function onHeaders(this: CallStream, headers: IncomingHttpHeaders): void {
  this[CALL]?.headers(headers)
}

function onTrailers(this: CallStream, headers: IncomingHttpHeaders): void {
  this[CALL]?.trailers(headers)
}

function onData(this: CallStream, chunk: Uint8Array): void {
  this[CALL]?.data(chunk)
}

function onEnd(this: CallStream): void {
  this[CALL]?.ended()
}

function onError(this: CallStream, error: Error): void {
  this[CALL]?.failed(error)
}

function onClose(this: CallStream): void {
  this[CALL]?.closed()
}

function onTimeout(call: ClientCall): void {
  call.timedOut()
}
