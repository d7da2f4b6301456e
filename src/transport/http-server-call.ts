import type { IncomingMessage, ServerResponse } from 'node:http'
import { readFromSocket } from '../garbage.ts'
import type { Signal } from '../otlp/batch.ts'
import { NoRoomError, WireError } from '../otlp/wire-error.ts'
import type { Admission } from './admission.ts'
import type { AnswerFormat } from './answer-format.ts'
import { DecompressionError } from './codecs/decompression-error.ts'
import type { Encoding } from './compression.ts'
import { decompressBody } from './decompress-body.ts'
import { respond } from './http-respond.ts'
import type { SlowCalls } from './http-server-patience.ts'
import { formatRetryAfter, httpStatusOf } from './http-status.ts'
import { Reservation } from './reservation.ts'
import {
  type AuthAttributes,
  ask,
  type CallHead,
  type CallStatus,
  type Entrance,
  GRPC,
  type ServerCall,
  type ServerHandler,
} from './unary.ts'

/** What all calls of one server share. */
export interface HttpCallServer {
  readonly maxBodyBytes: number
  readonly admission: Admission
  readonly handler: ServerHandler
  readonly slow: SlowCalls
}

/** One OTLP/HTTP request; also the head of it. */
export class HttpServerCall implements ServerCall, CallHead {
  readonly protocol = 'http'
  readonly signal: Signal
  readonly peer: string
  auth: AuthAttributes | undefined = undefined

  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #server: HttpCallServer
  readonly #limit: number
  readonly #handler: ServerHandler
  readonly #encoding: Encoding | undefined
  readonly #format: AnswerFormat
  /** Undefined until the request was found good by its headers. */
  #reservation: Reservation | undefined
  #entrance: Entrance | undefined
  /** Content-Length said how long the body is: all of it is booked. Else it grows as it comes. */
  #known = false
  #announced = 0
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
    server: HttpCallServer,
    encoding: Encoding | undefined,
    format: AnswerFormat,
  ) {
    this.signal = signal
    this.peer = peer
    this.#request = request
    this.#response = response
    this.#server = server
    this.#limit = server.maxBodyBytes
    this.#handler = server.handler
    this.#encoding = encoding
    this.#format = format
  }

  /** Begins to read a request whose path, method, type and encoding were found good. */
  static accept(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    peer: string,
    server: HttpCallServer,
    encoding: Encoding | undefined,
    format: AnswerFormat,
  ): void {
    const call = new HttpServerCall(request, response, signal, peer, server, encoding, format)
    response.on('close', () => call.#closed())
    server.slow.watch(call)
    const verdict = ask(server.handler, call)
    if (verdict instanceof Promise) {
      void verdict.then((refusal) => call.#enter(server.admission, refusal))
    } else call.#enter(server.admission, verdict)
  }

  /** Reads the body, or refuses it. */
  #enter(admission: Admission, refused: CallStatus | undefined): void {
    if (this.#answered || this.#response.destroyed) return
    const refusal = refused ?? this.#tooLong() ?? this.#ask() ?? this.#reserve(admission)
    if (refusal !== undefined) {
      this.refuse(refusal)
      return
    }
    if (this.#request.headers.expect !== undefined) this.#response.writeContinue()
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

  get reservation(): Reservation {
    return this.#reservation!
  }

  get body(): Uint8Array {
    return this.#reservation!.body
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

  /** The whole request has come, and gone to the handler. */
  get handed(): boolean {
    return this.#handed
  }

  /** Ends the connection without an answer. */
  cut(): void {
    this.#response.destroy()
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

  /** Answers before the body went to the handler. */
  refuse(status: CallStatus): void {
    if (this.#answered) return
    if (status.reason !== undefined) this.#handler.refused?.(this, status.reason)
    this.#entrance?.arrived(0)
    this.#reservation?.release()
    this.fail(status)
  }

  /** No later attempt would change that. */
  #tooLong(): CallStatus | undefined {
    const announced = this.#request.headers['content-length']
    this.#known = announced !== undefined
    this.#announced = Number(announced ?? 0)
    return this.#announced > this.#limit ? this.#tooLarge() : undefined
  }

  /** Becomes something else, of another length. */
  get #changes(): boolean {
    return this.#encoding !== undefined || this.#format.toProtobuf !== undefined
  }

  #ask(): CallStatus | undefined {
    const length = this.#known && !this.#changes ? this.#announced : undefined
    const entrance = this.#handler.enter?.(this, length)
    if (entrance === undefined) return undefined
    if ('code' in entrance) return entrance
    this.#entrance = entrance
    return undefined
  }

  #reserve(admission: Admission): CallStatus | undefined {
    const begun = admission.begin(!this.#known || this.#changes)
    if (!(begun instanceof Reservation)) return begun
    this.#reservation = begun
    return begun.take(this.#announced)
  }

  #tooLarge(): CallStatus {
    return {
      code: GRPC.INVALID_ARGUMENT,
      message: `http: request body too large: more than the ${this.#limit} bytes of max_request_body_size`,
      httpStatus: 413,
      reason: 'too_large',
    }
  }

  #receive(chunk: Uint8Array): void {
    readFromSocket(chunk.length)
    if (this.#answered) return
    this.#entrance?.arriving()
    const reservation = this.#reservation!
    // Where it is known, Node's parser lets no more through than Content-Length said.
    if (!this.#known) {
      const length = this.#filled + chunk.length
      const refusal = length > this.#limit ? this.#tooLarge() : reservation.widen(length, this.#filled, this.#limit)
      if (refusal !== undefined) {
        this.refuse(refusal)
        return
      }
    }
    reservation.body.set(chunk, this.#filled)
    this.#filled += chunk.length
  }

  #ended(): void {
    if (this.#answered || this.#response.destroyed) return
    const problem = this.#unpack() ?? this.#translate()
    if (problem !== undefined) {
      this.refuse(problem)
      return
    }
    this.#handed = true
    this.#entrance?.arrived(this.body.length)
    this.#handler.handle(this)
  }

  #unpack(): CallStatus | undefined {
    const reservation = this.#reservation!
    const encoding = this.#encoding
    if (encoding === undefined) {
      if (this.#format.toProtobuf === undefined) reservation.end(this.#filled)
      else reservation.body = reservation.body.subarray(0, this.#filled)
      return undefined
    }
    try {
      const kept = this.#format.toProtobuf === undefined
      return decompressBody(reservation, encoding, reservation.body.subarray(0, this.#filled), this.#limit, kept)
    } catch (error) {
      if (!(error instanceof DecompressionError)) throw error
      const broken = { code: GRPC.INVALID_ARGUMENT, message: `cannot read the ${encoding} body: ${error.message}` }
      return error.tooLarge ? this.#tooLarge() : broken
    }
  }

  /** Brings the body into protobuf where it is something else. */
  #translate(): CallStatus | undefined {
    try {
      return this.#format.toProtobuf?.(this.#reservation!, this.signal, this.#limit)
    } catch (error) {
      if (error instanceof NoRoomError) return this.#tooLarge()
      if (!(error instanceof WireError)) throw error
      this.#handler.malformed?.(this)
      return { code: GRPC.INVALID_ARGUMENT, message: error.message }
    }
  }

  #closed(): void {
    this.#server.slow.forget(this)
    if (!this.#handed) {
      this.#entrance?.arrived(0)
      this.#reservation?.release()
    }
    if (this.#answered) return
    const callback = this.#onGone
    this.#onGone = undefined
    callback?.()
  }
}

const EMPTY = new Uint8Array(0)
