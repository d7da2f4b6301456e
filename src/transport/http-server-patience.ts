import type { Duplex } from 'node:stream'
import type { HttpServerCall } from './http-server-call.ts'
import { Overdue } from './overdue.ts'
import { GRPC } from './unary.ts'

/** Milliseconds; 0 is no limit. */
export interface Patience {
  readonly readTimeoutMs: number
  readonly readHeaderTimeoutMs: number
  readonly writeTimeoutMs: number
}

/** How long a client that was too slow is asked to wait: it has the line for itself then, or not. */
const RETRY_AFTER_MS = 1000

/** Ends calls that take longer than they may. */
export class SlowCalls {
  /** For Node, which watches over headers itself; 0 is no limit. */
  readonly headersMs: number
  readonly #arriving: Overdue<HttpServerCall> | undefined
  readonly #answering: Overdue<HttpServerCall> | undefined

  constructor({ readTimeoutMs, readHeaderTimeoutMs, writeTimeoutMs }: Patience) {
    this.headersMs = shorter(readHeaderTimeoutMs, readTimeoutMs)
    const arrivalMs = shorter(readTimeoutMs, writeTimeoutMs)
    const answers = (call: HttpServerCall): void => void (call.handed && call.cut())
    if (arrivalMs === writeTimeoutMs && arrivalMs > 0) {
      // As it is by default: one look does for both.
      this.#arriving = new Overdue(arrivalMs, (call) => (call.handed ? answers(call) : tooSlow(call, arrivalMs)))
      return
    }
    if (arrivalMs > 0) this.#arriving = new Overdue(arrivalMs, (call) => tooSlow(call, arrivalMs))
    if (writeTimeoutMs > 0) this.#answering = new Overdue(writeTimeoutMs, answers)
  }

  watch(call: HttpServerCall): void {
    this.#arriving?.add(call)
    this.#answering?.add(call)
  }

  forget(call: HttpServerCall): void {
    this.#arriving?.delete(call)
    this.#answering?.delete(call)
  }

  stop(): void {
    this.#arriving?.stop()
    this.#answering?.stop()
  }
}

/**
 * A body that does not come is answered 503 and not 408: OTLP clients repeat the one and drop their data at the other (OTLP
 * specification, "Retryable Response Codes").
 */
function tooSlow(call: HttpServerCall, limitMs: number): void {
  if (call.handed) return
  const message = `the request did not arrive within ${limitMs / 1000} s`
  call.refuse({ code: GRPC.UNAVAILABLE, message, retryAfterMs: RETRY_AFTER_MS, reason: 'too_slow' })
}

function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? a || b : Math.min(a, b)
}

/** What answers a connection that Node gives up on, by the code of the error; others are 400. */
const ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n',
}
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'

/**
 * Answers what is no HTTP. A client whose headers are late is cut off without an answer, as Go does it: it tries again,
 * where a 408 would make it drop its data.
 */
export function endBrokenConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  const mute = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' || error.code === 'ECONNRESET'
  if (mute || !socket.writable) socket.destroy()
  else socket.end(ANSWERS[error.code ?? ''] ?? BAD_REQUEST, () => socket.destroy())
}
