import type { Socket } from 'node:net'
import { UNSEEN } from './answer.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { RequestHead } from './grpc-request-head.ts'
import {
  DATA,
  DEFAULT_WINDOW,
  ENABLE_PUSH,
  END_STREAM,
  HEAD_BYTES,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MOST_PAYLOAD,
  MOST_STREAM,
  PREFACE,
  settings,
  writeHead,
} from './http2/frames.ts'

/** As much as is handed to the socket at once. */
const BATCH_BYTES = 1 << 20

/**
 * What a connection sends: calls take turns by frames, no window is overrun, and what is due at the same time leaves in one write.
 */
export class GrpcWriter {
  /** Calls that were opened and have not ended. */
  readonly calls = new Map<number, GrpcCall>()
  readonly #socket: Socket
  readonly #head: RequestHead
  /** Calls with something to send that may be sent, in turns. */
  readonly #queue: GrpcCall[] = []
  /** Calls that the peer takes once others have ended. */
  readonly #unopened: GrpcCall[] = []
  #window = DEFAULT_WINDOW
  #initialWindow = DEFAULT_WINDOW
  #mostCalls = Number.POSITIVE_INFINITY
  #nextStream = 1
  /** The server set the size of its header table. */
  #unsized = false
  /** What is written next. */
  #chunks: Buffer[] = [PREFACE, settings([[ENABLE_PUSH, 0]])]
  #writing = false

  constructor(socket: Socket, head: RequestHead) {
    this.#socket = socket
    this.#head = head
  }

  /** Takes effect at the next `flush`, as all does. */
  add(call: GrpcCall): void {
    this.#queue.push(call)
  }

  /** A whole frame, ahead of what calls have to send. */
  control(frame: Buffer): void {
    this.#chunks.push(frame)
  }

  /** Calls that have not ended, also those that wait to be opened. */
  underWay(): readonly GrpcCall[] {
    return [...new Set([...this.calls.values(), ...this.#queue, ...this.#unopened])]
  }

  /** Ended in whatever way. */
  forget(call: GrpcCall): void {
    this.calls.delete(call.stream)
    const next = this.#unopened.shift()
    if (next !== undefined) this.#queue.push(next)
  }

  /** Writes all that may be written, as far as the socket takes it. */
  flush(): void {
    while (!this.#writing && !this.#socket.destroyed) {
      for (let bytes = 0; bytes < BATCH_BYTES; ) {
        const call = this.#queue.shift()
        if (call === undefined) break
        if (call.settled) continue
        if (call.stream === 0 && this.calls.size >= this.#mostCalls) {
          this.#unopened.push(call)
          continue
        }
        if (call.stream > 0 && this.#window <= 0) {
          this.#queue.unshift(call)
          break
        }
        bytes += this.#turn(call)
      }
      if (this.#chunks.length === 0) return
      this.#write()
    }
  }

  /** Writes a frame of a call's body, behind its headers where it is the first. */
  #turn(call: GrpcCall): number {
    const opens = call.stream === 0
    if (opens && !this.#open(call)) return 0
    const payload = Math.max(0, Math.min(MOST_PAYLOAD, call.left, call.window, this.#window))
    const opening = opens ? this.#head.length(this.#unsized) : 0
    const head = Buffer.allocUnsafe(opening + (payload > 0 ? HEAD_BYTES : 0))
    if (opens) {
      this.#head.write(head, 0, call.stream, this.#unsized)
      this.#unsized = false
    }
    if (head.length > 0) this.#chunks.push(head)
    if (payload > 0) {
      writeHead(head, opening, payload, DATA, payload === call.left ? END_STREAM : 0, call.stream)
      this.#window -= payload
      call.take(payload, this.#chunks)
    }
    if (call.left > 0) {
      call.stalled = call.window <= 0
      if (!call.stalled) this.#queue.push(call)
    }
    return head.length + payload
  }

  /** False where there are no more numbers for streams: it takes another connection. */
  #open(call: GrpcCall): boolean {
    if (this.#nextStream > MOST_STREAM) {
      call.settle(UNSEEN)
      return false
    }
    call.stream = this.#nextStream
    call.window = this.#initialWindow
    this.#nextStream += 2
    this.calls.set(call.stream, call)
    return true
  }

  /** No more streams can be opened. */
  get usedUp(): boolean {
    return this.#nextStream > MOST_STREAM
  }

  #write(): void {
    const chunks = this.#chunks
    this.#chunks = []
    this.#socket.cork()
    for (let i = 0; i < chunks.length - 1; i++) this.#socket.write(chunks[i]!)
    this.#socket.write(chunks.at(-1)!, this.#written)
    this.#socket.uncork()
    this.#writing = this.#socket.writableLength > 0
  }

  readonly #written = (): void => {
    // Of an earlier write, while a later one waits.
    if (!this.#writing || this.#socket.writableLength > 0) return
    this.#writing = false
    this.flush()
  }

  setting(id: number, value: number): void {
    if (id === HEADER_TABLE_SIZE) this.#unsized = true
    if (id === MAX_CONCURRENT_STREAMS) {
      this.#mostCalls = value
      this.#queue.push(...this.#unopened.splice(0))
    }
    if (id !== INITIAL_WINDOW_SIZE) return
    const wider = value - this.#initialWindow
    this.#initialWindow = value
    for (const call of this.calls.values()) this.#widen(call, wider)
  }

  window(stream: number, increment: number): void {
    if (stream === 0) this.#window += increment
    const call = this.calls.get(stream)
    if (call !== undefined) this.#widen(call, increment)
  }

  #widen(call: GrpcCall, bytes: number): void {
    call.window += bytes
    if (!call.stalled || call.window <= 0) return
    call.stalled = false
    this.#queue.push(call)
  }
}
