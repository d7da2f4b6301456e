/**
 * One connection of gRPC clients in clear text, on its own HTTP/2: what a real client does and no more. Requests take turns by
 * frames, no window is overrun, and what is due at the same time leaves in one write.
 */
import { connect, type Socket } from 'node:net'
import { type Answer, broken, TIMED_OUT, UNSEEN } from './answer.ts'
import type { Body } from './bodies.ts'
import { GrpcCall } from './grpc-call.ts'
import type { RequestHead } from './grpc-request-head.ts'
import { type FrameHandler, FrameReader } from './http2/frame-reader.ts'
import {
  ACK,
  CANCEL,
  DATA,
  DEFAULT_WINDOW,
  ENABLE_PUSH,
  END_STREAM,
  frame,
  HEAD_BYTES,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MOST_PAYLOAD,
  MOST_STREAM,
  NO_ERROR,
  numberFrame,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS_ACK,
  settings,
  WINDOW_UPDATE,
  writeHead,
} from './http2/frames.ts'
import { HpackDecoder } from './http2/hpack.ts'
import { ReceiveWindow } from './http2/receive-window.ts'

/** As much as is handed to the socket at once. */
const BATCH_BYTES = 1 << 20
/** What a socket has is looked at before it reads again: one buffer does for all. */
const READ = Buffer.alloc(64 << 10)

export class GrpcConnection implements FrameHandler {
  /** It takes no more requests. */
  ended = false
  readonly #socket: Socket
  readonly #head: RequestHead
  readonly #reader = new FrameReader(this)
  readonly #hpack = new HpackDecoder()
  readonly #calls = new Map<number, GrpcCall>()
  /** Calls with something to send that may be sent, in turns. */
  readonly #queue: GrpcCall[] = []
  /** Calls that the peer takes once others have ended. */
  readonly #unopened: GrpcCall[] = []
  readonly #received = new ReceiveWindow(DEFAULT_WINDOW)
  #window = DEFAULT_WINDOW
  #initialWindow = DEFAULT_WINDOW
  #mostCalls = Number.POSITIVE_INFINITY
  #nextStream = 1
  /** The server set the size of its header table. */
  #unsized = false
  /** What is written next. */
  #chunks: Buffer[] = []
  #reading = false
  #writing = false
  #why = 'the connection ended before the answer'

  constructor(port: number, head: RequestHead) {
    this.#head = head
    this.#chunks.push(PREFACE, settings([[ENABLE_PUSH, 0]]))
    const callback = (bytes: number): boolean => {
      this.#read(READ.subarray(0, bytes))
      return true
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ, callback } })
    this.#socket.on('error', (error) => {
      this.#why = error.message
    })
    this.#socket.on('close', () => {
      this.ended = true
      for (const call of this.#underWay()) call.settle(broken(this.#why))
    })
  }

  send(body: Body, done: (answer: Answer) => void): GrpcCall {
    const call = new GrpcCall(body, done)
    this.#queue.push(call)
    if (!this.#reading) this.#flush()
    return call
  }

  /** The client does not wait for an answer any longer. */
  giveUp(call: GrpcCall): void {
    if (call.stream > 0) this.#reset(call, CANCEL)
    call.settle(TIMED_OUT)
    this.#flush()
  }

  close(): void {
    this.#socket.destroy()
  }

  #underWay(): GrpcCall[] {
    return [...this.#calls.values(), ...this.#queue.splice(0), ...this.#unopened.splice(0)]
  }

  #read(chunk: Buffer): void {
    this.#reading = true
    try {
      this.#reader.read(chunk)
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
    this.#reading = false
    this.#flush()
  }

  /** Writes all that may be written, as far as the socket takes it. */
  #flush(): void {
    while (!this.#writing && !this.#socket.destroyed) {
      for (let bytes = 0; bytes < BATCH_BYTES; ) {
        const call = this.#queue.shift()
        if (call === undefined) break
        if (call.settled) continue
        if (call.stream === 0 && this.#calls.size >= this.#mostCalls) {
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
      this.ended = true
      call.settle(UNSEEN)
      return false
    }
    call.stream = this.#nextStream
    call.window = this.#initialWindow
    this.#nextStream += 2
    this.#calls.set(call.stream, call)
    return true
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
    this.#flush()
  }

  /** Ends a call towards the peer, whatever of it is still to be sent or to come. */
  #reset(call: GrpcCall, code: number): void {
    this.#chunks.push(numberFrame(RST_STREAM, call.stream, code))
    this.#forget(call)
  }

  #forget(call: GrpcCall): void {
    this.#calls.delete(call.stream)
    const next = this.#unopened.shift()
    if (next !== undefined) this.#queue.push(next)
    else if (this.ended && this.#calls.size === 0 && this.#queue.length === 0) this.#socket.destroySoon()
  }

  #end(call: GrpcCall): void {
    // An answer before the end of the body: nobody wants the rest of it.
    if (call.left > 0) this.#reset(call, NO_ERROR)
    else this.#forget(call)
    call.end()
  }

  data(stream: number, _bytes: Buffer, _start: number, _end: number, spent: number, ended: boolean): void {
    const wider = this.#received.spend(spent)
    if (wider > 0) this.#chunks.push(numberFrame(WINDOW_UPDATE, 0, wider))
    if (!ended) return
    const call = this.#calls.get(stream)
    if (call !== undefined) this.#end(call)
  }

  headers(stream: number, block: Buffer, ended: boolean): void {
    const call = this.#calls.get(stream)
    this.#hpack.decode(block, call === undefined ? nobody : call.field)
    if (ended && call !== undefined) this.#end(call)
  }

  reset(stream: number, code: number): void {
    const call = this.#calls.get(stream)
    if (call === undefined) return
    this.#forget(call)
    call.reset(code)
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
    for (const call of this.#calls.values()) this.#widen(call, wider)
  }

  settingsEnd(): void {
    this.#chunks.push(SETTINGS_ACK)
  }

  ping(payload: Buffer): void {
    this.#chunks.push(frame(PING, ACK, 0, payload))
  }

  goAway(lastStream: number, code: number): void {
    this.ended = true
    if (code !== NO_ERROR) this.#why = `the connection was ended with ${code}`
    for (const call of this.#underWay()) {
      if (call.stream > 0 && call.stream <= lastStream) {
        if (call.left > 0 && !call.stalled && !this.#queue.includes(call)) this.#queue.push(call)
        continue
      }
      this.#calls.delete(call.stream)
      call.settle(UNSEEN)
    }
    if (this.#calls.size === 0) this.#socket.destroySoon()
  }

  window(stream: number, increment: number): void {
    if (stream === 0) this.#window += increment
    const call = this.#calls.get(stream)
    if (call !== undefined) this.#widen(call, increment)
  }

  #widen(call: GrpcCall, bytes: number): void {
    call.window += bytes
    if (!call.stalled || call.window <= 0) return
    call.stalled = false
    this.#queue.push(call)
  }
}

const nobody = (): void => {}
