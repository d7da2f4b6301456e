/** One connection of gRPC clients in clear text, on its own HTTP/2: what a real client does and no more. */
import { connect, type Socket } from 'node:net'
import { type Answer, broken, TIMED_OUT, UNSEEN } from './answer.ts'
import type { Body } from './bodies.ts'
import { GrpcCall } from './grpc-call.ts'
import type { RequestHead } from './grpc-request-head.ts'
import { GrpcWriter } from './grpc-writer.ts'
import { type FrameHandler, FrameReader } from './http2/frame-reader.ts'
import {
  ACK,
  CANCEL,
  DEFAULT_WINDOW,
  frame,
  NO_ERROR,
  numberFrame,
  PING,
  RST_STREAM,
  SETTINGS_ACK,
  WINDOW_UPDATE,
} from './http2/frames.ts'
import { HpackDecoder } from './http2/hpack.ts'
import { ReceiveWindow } from './http2/receive-window.ts'

/** What a socket has is looked at before another one reads: one buffer does for all. */
const READ = Buffer.alloc(64 << 10)

export class GrpcConnection implements FrameHandler {
  readonly #socket: Socket
  readonly #writer: GrpcWriter
  readonly #reader = new FrameReader(this)
  readonly #hpack = new HpackDecoder()
  readonly #received = new ReceiveWindow(DEFAULT_WINDOW)
  #reading = false
  #ended = false
  #why = 'the connection ended before the answer'

  constructor(port: number, head: RequestHead) {
    const callback = (bytes: number): boolean => {
      this.#read(READ.subarray(0, bytes))
      return true
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ, callback } })
    this.#writer = new GrpcWriter(this.#socket, head)
    this.#socket.on('error', (error) => {
      this.#why = error.message
    })
    this.#socket.on('close', () => {
      this.#ended = true
      for (const call of this.#writer.underWay()) call.settle(broken(this.#why))
    })
  }

  /** It takes no more requests. */
  get ended(): boolean {
    return this.#ended || this.#writer.usedUp
  }

  send(body: Body, done: (answer: Answer) => void): GrpcCall {
    const call = new GrpcCall(body, done)
    this.#writer.add(call)
    if (!this.#reading) this.#writer.flush()
    return call
  }

  /** The client does not wait for an answer any longer. */
  giveUp(call: GrpcCall): void {
    if (call.stream > 0) this.#reset(call, CANCEL)
    call.settle(TIMED_OUT)
    this.#writer.flush()
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#reading = true
    try {
      this.#reader.read(chunk)
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
    this.#reading = false
    this.#writer.flush()
  }

  /** Ends a call towards the peer, whatever of it is still to be sent or to come. */
  #reset(call: GrpcCall, code: number): void {
    this.#writer.control(numberFrame(RST_STREAM, call.stream, code))
    this.#forget(call)
  }

  #forget(call: GrpcCall): void {
    this.#writer.forget(call)
    if (this.#ended && this.#writer.calls.size === 0) this.#socket.destroySoon()
  }

  #end(call: GrpcCall): void {
    // An answer before the end of the body: nobody wants the rest of it.
    if (call.left > 0) this.#reset(call, NO_ERROR)
    else this.#forget(call)
    call.end()
  }

  data(stream: number, _bytes: Buffer, _start: number, _end: number, spent: number, ended: boolean): void {
    const wider = this.#received.spend(spent)
    if (wider > 0) this.#writer.control(numberFrame(WINDOW_UPDATE, 0, wider))
    const call = ended ? this.#writer.calls.get(stream) : undefined
    if (call !== undefined) this.#end(call)
  }

  headers(stream: number, block: Buffer, ended: boolean): void {
    const call = this.#writer.calls.get(stream)
    this.#hpack.decode(block, call === undefined ? nobody : call.field)
    if (ended && call !== undefined) this.#end(call)
  }

  reset(stream: number, code: number): void {
    const call = this.#writer.calls.get(stream)
    if (call === undefined) return
    this.#forget(call)
    call.reset(code)
  }

  setting(id: number, value: number): void {
    this.#writer.setting(id, value)
  }

  settingsEnd(): void {
    this.#writer.control(SETTINGS_ACK)
  }

  ping(payload: Buffer): void {
    this.#writer.control(frame(PING, ACK, 0, payload))
  }

  /** Calls that the peer has seen go on; the others may be sent again, over another connection. */
  goAway(lastStream: number, code: number): void {
    this.#ended = true
    if (code !== NO_ERROR) this.#why = `the connection was ended with ${code}`
    for (const call of this.#writer.underWay()) {
      if (call.stream > 0 && call.stream <= lastStream) continue
      this.#writer.calls.delete(call.stream)
      call.settle(UNSEEN)
    }
    if (this.#writer.calls.size === 0) this.#socket.destroySoon()
  }

  window(stream: number, increment: number): void {
    this.#writer.window(stream, increment)
  }
}

const nobody = (): void => {}
