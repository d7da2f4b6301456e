import type { IncomingMessage, ServerResponse } from 'node:http'
import { arenas } from '../otlp/arena.ts'
import type { Signal } from '../otlp/batch.ts'
import type { AnswerFormat } from './answer-format.ts'
import { DecompressionError } from './codecs/decompression-error.ts'
import { decompress, type Encoding, joined } from './compression.ts'
import { formatRetryAfter, httpStatusOf } from './http-status.ts'
import {
  type AuthAttributes,
  ask,
  type CallHead,
  type CallStatus,
  GRPC,
  type ServerCall,
  type ServerHandler,
} from './unary.ts'

// A client that was answered before it sent everything gets this long to notice: closing at once would reset the
// connection, and the reset may overtake the answer.
const LINGER_MS = 1000

/** One OTLP/HTTP request; also the head of it. */
export class HttpServerCall implements ServerCall, CallHead {
  readonly protocol = 'http'
  readonly signal: Signal
  readonly peer: string
  auth: AuthAttributes | undefined = undefined
  body: Uint8Array = EMPTY

  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #limit: number
  readonly #handler: ServerHandler
  readonly #encoding: Encoding | undefined
  readonly #format: AnswerFormat
  /** Content-Length known: one allocation that the chunks are copied to. Else they are collected. */
  #known: Uint8Array | undefined
  #collected: Uint8Array[] = []
  #filled = 0
  #answered = false
  /** The body has gone to the handler. */
  #handed = false
  #onGone: (() => void) | undefined

  private constructor(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    peer: string,
    limit: number,
    handler: ServerHandler,
    encoding: Encoding | undefined,
    format: AnswerFormat,
  ) {
    this.signal = signal
    this.peer = peer
    this.#request = request
    this.#response = response
    this.#limit = limit
    this.#handler = handler
    this.#encoding = encoding
    this.#format = format
  }

  /** Begins to read a request whose path, method, type and encoding were found good; `limit` is in bytes. */
  static accept(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    peer: string,
    limit: number,
    handler: ServerHandler,
    encoding: Encoding | undefined,
    format: AnswerFormat,
  ): void {
    const call = new HttpServerCall(request, response, signal, peer, limit, handler, encoding, format)
    response.on('close', () => call.#closed())
    const verdict = ask(handler, call)
    if (verdict instanceof Promise) {
      void verdict.then((refusal) => call.#enter(refusal))
    } else call.#enter(verdict)
  }

  /** Reads the body, or refuses it. */
  #enter(refused: CallStatus | undefined): void {
    if (this.#response.destroyed) return
    const refusal = refused ?? this.#reserve()
    if (refusal !== undefined) {
      this.fail(refusal)
      return
    }
    this.#request.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    this.#request.on('end', () => this.#ended())
  }

  get head(): CallHead {
    return this
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  query(name: string): string | undefined {
    const url = this.#request.url ?? ''
    const at = url.indexOf('?')
    return at < 0 ? undefined : (new URLSearchParams(url.slice(at)).get(name) ?? undefined)
  }

  metadata(): Record<string, readonly string[]> {
    const metadata: Record<string, readonly string[]> = {}
    for (const [name, values] of Object.entries(this.#request.headersDistinct)) {
      if (values !== undefined) metadata[name] = values
    }
    return metadata
  }

  get gone(): boolean {
    return !this.#answered && this.#response.destroyed
  }

  onGone(callback: () => void): void {
    if (this.gone) callback()
    else this.#onGone = callback
  }

  ok(response: Uint8Array = EMPTY): void {
    this.#answer(200, this.#format.response(this.signal, response))
  }

  fail(status: CallStatus): void {
    const httpStatus = status.httpStatus ?? httpStatusOf(status.code)
    if (status.retryAfterMs !== undefined && (httpStatus === 429 || httpStatus === 503)) {
      this.#response.setHeader('retry-after', formatRetryAfter(status.retryAfterMs))
    }
    this.#answer(httpStatus, this.#format.status(status))
  }

  #answer(httpStatus: number, body: Uint8Array | string): void {
    if (this.#answered || this.#response.destroyed) return
    this.#answered = true
    this.#onGone = undefined
    respond(this.#request, this.#response, httpStatus, this.#format.type, body)
  }

  #reserve(): CallStatus | undefined {
    const announced = this.#request.headers['content-length']
    if (announced === undefined) return undefined
    const length = Number(announced)
    if (length > this.#limit) return this.#tooLarge()
    if (length > 0) this.#known = arenas.take(length)
    return undefined
  }

  #tooLarge(): CallStatus {
    return {
      code: GRPC.INVALID_ARGUMENT,
      message: `http: request body too large: more than the ${this.#limit} bytes of max_request_body_size`,
      httpStatus: 413,
    }
  }

  #receive(chunk: Uint8Array): void {
    if (this.#answered) return
    if (this.#known !== undefined) {
      // Node's parser lets no more through than Content-Length said.
      this.#known.set(chunk, this.#filled)
    } else {
      if (this.#filled + chunk.length > this.#limit) {
        this.fail(this.#tooLarge())
        return
      }
      this.#collected.push(chunk)
    }
    this.#filled += chunk.length
  }

  #ended(): void {
    if (this.#answered || this.#response.destroyed) return
    const message = this.#known ?? joined(this.#collected)
    this.#collected = []
    const encoding = this.#encoding
    if (encoding === undefined) {
      this.body = message
    } else {
      try {
        this.body = decompress(encoding, message, { limit: this.#limit })
        arenas.release(message)
      } catch (error) {
        if (!(error instanceof DecompressionError)) throw error
        const broken = { code: GRPC.INVALID_ARGUMENT, message: `cannot read the ${encoding} body: ${error.message}` }
        this.fail(error.tooLarge ? this.#tooLarge() : broken)
        return
      }
    }
    this.#handed = true
    this.#handler.handle(this)
  }

  #closed(): void {
    this.#collected = []
    if (!this.#handed && this.#known !== undefined) arenas.release(this.#known)
    if (this.#answered) return
    const callback = this.#onGone
    this.#onGone = undefined
    callback?.()
  }
}

const EMPTY = new Uint8Array(0)

/** Answers `request`; what of its body has not come yet is not waited for. */
export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  type: string,
  body: Uint8Array | string,
): void {
  response.statusCode = httpStatus
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(body))
  if (request.complete) {
    response.end(body)
    return
  }
  response.setHeader('connection', 'close')
  response.end(body)
  // Read and dropped, so that the answer reaches a client that sends first and reads then.
  request.resume()
  const { socket } = request
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
