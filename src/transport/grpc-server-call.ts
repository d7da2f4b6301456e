import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { readFromSocket, refusedUnread } from '../garbage.ts'
import type { Signal } from '../otlp/batch.ts'
import type { Admission } from './admission.ts'
import { Alarm } from './alarm.ts'
import { DecompressionError } from './codecs/decompression-error.ts'
import type { Encoding } from './compression.ts'
import { decompressBody } from './decompress-body.ts'
import { GRPC_ACCEPT_ENCODING, GRPC_ENCODINGS } from './grpc-encodings.ts'
import { MessageReader, messagePrefix } from './grpc-message.ts'
import { parseGrpcTimeout } from './grpc-timeout.ts'
import type { Overdue } from './overdue.ts'
import { Reservation } from './reservation.ts'
import { statusTrailers } from './rpc-status.ts'
import type { SessionWindow } from './session-window.ts'
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

const CALL = Symbol('call')

// The call hangs on its stream, so that one function per event serves every stream: closures per call showed in the
// profile of small requests.
interface CallStream extends ServerHttp2Stream {
  [CALL]?: GrpcServerCall
}

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map(Object.entries(GRPC_ENCODINGS))

const EMPTY_RESPONSE = messagePrefix(0, false)
// `date` costs a string per second and nobody reads it; Node's types leave `sendDate` out.
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false }
const TRAILERS_ONLY = { endStream: true, sendDate: false }

/** One unary call on one stream; also the head of it, to save an object. */
export class GrpcServerCall implements ServerCall, CallHead {
  readonly protocol = 'grpc'
  readonly signal: Signal
  readonly peer: string
  auth: AuthAttributes | undefined = undefined

  readonly #stream: CallStream
  readonly #headers: IncomingHttpHeaders
  readonly #handler: ServerHandler
  readonly #limit: number
  /** Undefined until the call was found good by its headers. */
  #reservation: Reservation | undefined
  #reader: MessageReader | undefined
  #entrance: Entrance | undefined
  readonly #encoding: Encoding | undefined
  readonly #arriving: Overdue<GrpcServerCall> | undefined
  /** When the client's patience ends, on `performance.now()`'s scale; 0 for never. */
  #deadline: number
  #answered = false
  #closed = false
  /** The body has gone to the handler. */
  #handed = false
  #onGone: (() => void) | undefined
  #deadlineAlarm: Alarm | undefined

  private constructor(
    stream: CallStream,
    headers: IncomingHttpHeaders,
    signal: Signal,
    peer: string,
    limit: number,
    handler: ServerHandler,
    encoding: Encoding | undefined,
    arriving: Overdue<GrpcServerCall> | undefined,
  ) {
    this.signal = signal
    this.peer = peer
    this.#stream = stream
    this.#headers = headers
    this.#handler = handler
    this.#limit = limit
    this.#encoding = encoding
    this.#arriving = arriving
    const timeout = headers['grpc-timeout']
    const ms = typeof timeout === 'string' ? parseGrpcTimeout(timeout) : undefined
    this.#deadline = ms === undefined ? 0 : performance.now() + ms
  }

  /** Begins a call, or refuses it by its headers. */
  static accept(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    signal: Signal,
    peer: string,
    limit: number,
    admission: Admission,
    window: SessionWindow,
    handler: ServerHandler,
    arriving?: Overdue<GrpcServerCall>,
  ): void {
    const name = headers['grpc-encoding']
    const encoding = typeof name === 'string' ? ENCODINGS.get(name) : undefined
    const call = new GrpcServerCall(stream, headers, signal, peer, limit, handler, encoding, arriving)
    ;(stream as CallStream)[CALL] = call
    stream.on('close', onClose)
    if (encoding === undefined && name !== undefined && name !== 'identity') {
      // Worded as grpc-go words it; the header lists what would have been taken (gRPC compression, "Compression Method").
      call.#refuse(
        {
          code: GRPC.UNIMPLEMENTED,
          message: `grpc: Decompressor is not installed for grpc-encoding "${String(name)}"`,
        },
        { 'grpc-accept-encoding': GRPC_ACCEPT_ENCODING },
      )
      return
    }
    const verdict = ask(handler, call)
    if (verdict instanceof Promise) {
      // Nobody reads the stream until then, so that what it may send unasked lies in memory.
      const unread = window.bytes
      const refusal = call.#begin(admission, unread)
      arriving?.add(call)
      if (refusal !== undefined) call.#refuse(refusal)
      else void verdict.then((refused) => call.#enter(refused, unread))
    } else call.#enter(verdict ?? call.#begin(admission, 0), 0)
  }

  /** Reads the body, or refuses it. `unread` bytes were booked for what may have come already. */
  #enter(refusal: CallStatus | undefined, unread: number): void {
    if (this.#answered || this.#over()) return
    if (unread > 0) this.#reservation!.giveBack(unread)
    if (refusal !== undefined) {
      this.#refuse(refusal)
      return
    }
    const entrance = this.#handler.enter?.(this, undefined)
    if (entrance !== undefined && 'code' in entrance) {
      this.#refuse(entrance)
      return
    }
    this.#entrance = entrance
    // Else it was added when the authoriser was asked.
    if (unread === 0) this.#arriving?.add(this)
    const stream = this.#stream
    stream.on('data', onData)
    stream.on('end', onEnd)
    stream.on('wantTrailers', onWantTrailers)
  }

  #begin(admission: Admission, unread: number): CallStatus | undefined {
    const begun = admission.begin(this.#encoding !== undefined)
    if (!(begun instanceof Reservation)) return begun
    this.#reservation = begun
    const refusal = unread > 0 ? begun.grow(unread) : undefined
    if (refusal !== undefined) return refusal
    this.#reader = new MessageReader(this.#limit, begun)
    return undefined
  }

  get head(): CallHead {
    return this
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  query(): undefined {}

  get reservation(): Reservation {
    return this.#reservation!
  }

  get body(): Uint8Array {
    return this.#reservation!.body
  }

  metadata(): Record<string, readonly string[]> {
    const metadata: Record<string, readonly string[]> = {}
    for (const [name, value] of Object.entries(this.#headers)) {
      if (name.startsWith(':') || value === undefined) continue
      metadata[name] = Array.isArray(value) ? value : [value]
    }
    // As the Collector does: HTTP/2's name for what HTTP/1.1 calls Host.
    const authority = this.#headers[':authority']
    if (authority !== undefined) metadata['host'] ??= [authority]
    return metadata
  }

  get gone(): boolean {
    if (this.#over()) return !this.#answered
    return this.#deadline !== 0 && performance.now() > this.#deadline
  }

  get deadline(): number | undefined {
    return this.#deadline === 0 ? undefined : this.#deadline
  }

  onGone(callback: () => void): void {
    if (this.gone) {
      callback()
      return
    }
    this.#onGone = callback
    if (this.#deadline === 0) return
    this.#deadlineAlarm = new Alarm(this.#deadline - performance.now(), () => {
      // Timers run up to a millisecond early, but whoever is called back has to find the client gone.
      this.#deadline = -1
      this.#goes()
    })
  }

  ok(response?: Uint8Array): void {
    if (!this.#claim()) return
    const stream = this.#stream
    stream.respond(RESPONSE_HEADERS, WITH_TRAILERS)
    if (response === undefined || response.length === 0) {
      stream.end(EMPTY_RESPONSE)
      return
    }
    stream.cork()
    stream.write(messagePrefix(response.length, false))
    stream.end(response)
    stream.uncork()
  }

  fail(status: CallStatus): void {
    if (!this.#claim()) return
    this.#stream.respond({ ...RESPONSE_HEADERS, ...statusTrailers(status) }, TRAILERS_ONLY)
  }

  /** Answers before the body has come and stops the client from sending the rest. */
  #refuse(status: CallStatus, extra: Record<string, string> = {}): void {
    if (!this.#claim()) return
    if (status.reason !== undefined) this.#handler.refused?.(this, status.reason)
    this.#entrance?.arrived(0)
    this.#reservation?.release()
    this.#stream.respond({ ...RESPONSE_HEADERS, ...extra, ...statusTrailers(status) }, TRAILERS_ONLY)
    refusedUnread(UNREAD_BYTES)
    this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  /** A reset stream is `closed` some time before it is `destroyed`, and `respond` throws from then on. */
  #over(): boolean {
    return this.#closed || this.#stream.closed || this.#stream.destroyed
  }

  /** True once, while there is somebody to answer. */
  #claim(): boolean {
    if (this.#answered || this.#over()) return false
    this.#answered = true
    this.#settleTimer()
    return true
  }

  #settleTimer(): void {
    this.#deadlineAlarm?.cancel()
    this.#onGone = undefined
  }

  #goes(): void {
    const callback = this.#onGone
    this.#settleTimer()
    callback?.()
  }

  receive(chunk: Uint8Array): void {
    readFromSocket(chunk.length)
    if (this.#answered) return
    this.#entrance?.arriving()
    const problem = this.#reader!.push(chunk)
    if (problem !== undefined) this.#refuse(problem)
  }

  /** The message took longer than it may: what it holds is given back. */
  tooSlow(limitMs: number): void {
    this.#refuse({
      code: GRPC.UNAVAILABLE,
      message: `the message did not arrive within ${limitMs / 1000} s`,
      retryAfterMs: SLOW_RETRY_AFTER_MS,
      reason: 'too_slow',
    })
  }

  ended(): void {
    this.#arriving?.delete(this)
    if (this.#answered || this.#over()) return
    const problem = this.#reader!.problemAtEnd() ?? this.#unpack()
    if (problem !== undefined) {
      if (problem.reason !== undefined) this.#handler.refused?.(this, problem.reason)
      this.#entrance?.arrived(0)
      this.#reservation?.release()
      this.fail(problem)
      return
    }
    this.#handed = true
    this.#entrance?.arrived(this.body.length)
    this.#handler.handle(this)
  }

  #unpack(): CallStatus | undefined {
    const { message, compressed } = this.#reader!
    const reservation = this.#reservation!
    if (!compressed) {
      reservation.end()
      return undefined
    }
    const encoding = this.#encoding
    if (encoding === undefined) {
      return { code: GRPC.INTERNAL, message: 'grpc: compressed flag set with identity or empty encoding' }
    }
    try {
      return decompressBody(reservation, encoding, message, this.#limit)
    } catch (error) {
      if (!(error instanceof DecompressionError)) throw error
      return error.tooLarge
        ? {
            code: GRPC.RESOURCE_EXHAUSTED,
            message: `grpc: received message after decompression larger than max ${this.#limit}`,
            reason: 'too_large',
          }
        : { code: GRPC.INTERNAL, message: `grpc: failed to decompress the received message: ${error.message}` }
    }
  }

  closed(): void {
    this.#closed = true
    this.#arriving?.delete(this)
    if (!this.#handed) {
      this.#entrance?.arrived(0)
      this.#reservation?.release()
    }
    if (!this.#answered) this.#goes()
  }
}

const SLOW_RETRY_AFTER_MS = 1000

/** About what comes of a call that is refused by its headers, by the window of a connection that has heard that. */
const UNREAD_BYTES = 32_768

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' }
const OK_TRAILERS = { 'grpc-status': '0' }

function onData(this: CallStream, chunk: Uint8Array): void {
  this[CALL]?.receive(chunk)
}

function onEnd(this: CallStream): void {
  this[CALL]?.ended()
}

function onClose(this: CallStream): void {
  this[CALL]?.closed()
}

function onWantTrailers(this: CallStream): void {
  if (!this.destroyed && !this.closed) this.sendTrailers(OK_TRAILERS)
}
