import { ACKNOWLEDGED, type Answer, broken, ofGrpc, UNSEEN } from './answer.ts'
import type { Body } from './bodies.ts'
import { REFUSED_STREAM } from './http2/frames.ts'

/** A request on its way over one connection, and what is known of its answer. */
export class GrpcCall {
  /** 0 until it is opened. */
  stream = 0
  /** Bytes of the body that are not written yet. */
  left: number
  /** What the peer takes of this stream. */
  window = 0
  /** Waits for its own window. */
  stalled = false
  settled = false
  readonly since = performance.now()
  readonly #body: Body
  readonly #done: (answer: Answer) => void
  /** The next byte to be written: in which part, and where. */
  #part = 0
  #offset = 0
  #httpStatus = ''
  #status: string | undefined
  #message = ''
  #withDelay = false

  constructor(body: Body, done: (answer: Answer) => void) {
    this.#body = body
    this.#done = done
    this.left = body.bytes
  }

  /** Adds the next `bytes` of the body to `chunks`. */
  take(bytes: number, chunks: Buffer[]): void {
    this.left -= bytes
    this.window -= bytes
    for (let missing = bytes; missing > 0; ) {
      const part = this.#body.parts[this.#part]!
      const end = Math.min(part.length, this.#offset + missing)
      chunks.push(part.subarray(this.#offset, end))
      missing -= end - this.#offset
      this.#offset = end
      if (end < part.length) return
      this.#part++
      this.#offset = 0
    }
  }

  /** A field of the response's headers or trailers. */
  readonly field = (name: string, value: string): void => {
    if (name === ':status') this.#httpStatus = value
    else if (name === 'grpc-status') this.#status = value
    else if (name === 'grpc-message') this.#message = value
    else if (name === 'grpc-status-details-bin') this.#withDelay = true
  }

  settle(answer: Answer): void {
    if (this.settled) return
    this.settled = true
    this.#done(answer)
  }

  /** By what the response said. */
  end(): void {
    if (this.#status === undefined && this.#httpStatus !== '200') {
      this.settle(broken(`HTTP status ${this.#httpStatus || 'missing'}`))
    } else this.settle(this.#answer)
  }

  /** The peer reset it, perhaps behind its answer. */
  reset(code: number): void {
    if (this.#status !== undefined) this.settle(this.#answer)
    else this.settle(code === REFUSED_STREAM ? UNSEEN : broken(`reset with ${code}`))
  }

  get #answer(): Answer {
    return this.#status === '0' ? ACKNOWLEDGED : ofGrpc(this.#status, this.#message, this.#withDelay)
  }
}
