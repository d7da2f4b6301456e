/** A gRPC server in clear text that takes whole requests, on its own HTTP/2, for any client. */
import type { Server, Socket } from 'node:net'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import type { BenchSignal } from '../payload/payload.ts'
import { accept } from './accept.ts'
import { type FrameHandler, FrameReader } from './http2/frame-reader.ts'
import {
  ACK,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  numberFrame,
  PING,
  PREFACE,
  SETTINGS_ACK,
  settings,
  WINDOW_UPDATE,
} from './http2/frames.ts'
import { encodeFields, HpackDecoder } from './http2/hpack.ts'
import { ProtocolError } from './http2/protocol-error.ts'
import { ReceiveWindow } from './http2/receive-window.ts'
import { Message } from './message.ts'
import type { Requests } from './requests.ts'

const WINDOW = 16 << 20
const MOST_CALLS = 4096
/** Compressed or not (1), length (4). */
const PREFIX = 5

const OPENING = Buffer.concat([
  settings([
    [INITIAL_WINDOW_SIZE, WINDOW],
    [MAX_CONCURRENT_STREAMS, MOST_CALLS],
  ]),
  numberFrame(WINDOW_UPDATE, 0, WINDOW - DEFAULT_WINDOW),
])

/** An empty message is the whole of a success. */
const ANSWER = [
  frame(
    HEADERS,
    END_HEADERS,
    0,
    encodeFields([
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]),
  ),
  frame(DATA, 0, 0, Buffer.alloc(PREFIX)),
  frame(HEADERS, END_HEADERS | END_STREAM, 0, encodeFields([['grpc-status', '0']])),
]
const ANSWER_BYTES = Buffer.concat(ANSWER)
/** Where the streams of its frames stand. */
const STREAM_AT = [5, ANSWER[0]!.length + 5, ANSWER[0]!.length + ANSWER[1]!.length + 5]

const SIGNALS: readonly BenchSignal[] = ['traces', 'logs', 'metrics']

export function grpcSink(requests: Requests): Server {
  return accept((socket, read) => {
    const connection = new SinkConnection(socket, requests)
    connection.open()
    read((chunk) => connection.read(chunk))
  })
}

interface Call {
  readonly stream: number
  readonly signal: BenchSignal
  readonly coding: string | undefined
  readonly message: Message
  readonly received: ReceiveWindow
  /** What the client takes of this stream. */
  window: number
  gone: boolean
}

class SinkConnection implements FrameHandler {
  readonly #socket: Socket
  readonly #requests: Requests
  readonly #reader = new FrameReader(this)
  readonly #hpack = new HpackDecoder()
  readonly #calls = new Map<number, Call>()
  readonly #received = new ReceiveWindow(WINDOW)
  /** Answers that the client's windows have no room for. */
  #waiting: Call[] = []
  #window = DEFAULT_WINDOW
  #initialWindow = DEFAULT_WINDOW
  #preface = 0
  #chunks: Buffer[] = []
  #reading = false

  constructor(socket: Socket, requests: Requests) {
    this.#socket = socket
    this.#requests = requests
  }

  open(): void {
    this.#chunks.push(OPENING)
    this.#flush()
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      for (const call of this.#calls.values()) this.#forget(call)
    })
  }

  read(chunk: Buffer): void {
    this.#reading = true
    try {
      this.#reader.read(this.#preface < PREFACE.length ? this.#readPreface(chunk) : chunk)
    } catch (error) {
      this.#requests.broken(error as Error)
      this.#socket.destroy()
    }
    this.#reading = false
    this.#flush()
  }

  #readPreface(chunk: Buffer): Buffer {
    const end = Math.min(chunk.length, PREFACE.length - this.#preface)
    if (PREFACE.compare(chunk, 0, end, this.#preface, this.#preface + end) !== 0) {
      throw new ProtocolError('a connection that does not begin as HTTP/2 does')
    }
    this.#preface += end
    return chunk.subarray(end)
  }

  #flush(): void {
    if (this.#chunks.length === 0 || this.#socket.destroyed) return
    const [first, second] = this.#chunks
    this.#socket.write(second === undefined ? first! : Buffer.concat(this.#chunks))
    this.#chunks = []
  }

  headers(stream: number, block: Buffer, ended: boolean): void {
    const trailed = this.#calls.get(stream)
    let path = ''
    let coding: string | undefined
    this.#hpack.decode(block, (name, value) => {
      if (name === ':path') path = value
      else if (name === 'grpc-encoding') coding = value
    })
    const call = trailed ?? {
      stream,
      signal: SIGNALS.find((known) => GRPC_PATHS[known] === path) ?? 'traces',
      coding,
      message: new Message(),
      received: new ReceiveWindow(WINDOW),
      window: this.#initialWindow,
      gone: false,
    }
    if (trailed === undefined) this.#calls.set(stream, call)
    if (ended) this.#take(call)
  }

  data(stream: number, bytes: Buffer, start: number, end: number, spent: number, ended: boolean): void {
    this.#widen(this.#received.spend(spent), 0)
    const call = this.#calls.get(stream)
    // It was given up, and this was on its way already.
    if (call === undefined) return
    const first = call.message.length === 0 && end - start >= PREFIX
    call.message.append(bytes, start, end, first ? PREFIX + bytes.readUInt32BE(start + 1) : 0)
    if (ended) this.#take(call)
    else this.#widen(call.received.spend(spent), stream)
  }

  #widen(bytes: number, stream: number): void {
    if (bytes > 0) this.#chunks.push(numberFrame(WINDOW_UPDATE, stream, bytes))
  }

  #take(call: Call): void {
    const framed = call.message.bytes
    const announced = framed.length < PREFIX ? 0 : PREFIX + framed.readUInt32BE(1)
    if (announced !== framed.length) {
      this.#requests.broken(new Error(`a message of ${announced} bytes in a body of ${framed.length}`))
      this.#answer(call)
    } else {
      const coding = framed[0] === 1 ? call.coding : undefined
      this.#requests.take(
        call.signal,
        framed.subarray(PREFIX),
        coding,
        () => call.gone,
        () => this.#answer(call),
      )
    }
    call.message.release()
  }

  #answer(call: Call): void {
    if (this.#window < PREFIX || call.window < PREFIX) {
      this.#waiting.push(call)
      return
    }
    this.#window -= PREFIX
    const bytes = Buffer.from(ANSWER_BYTES)
    for (const at of STREAM_AT) bytes.writeUInt32BE(call.stream, at)
    this.#chunks.push(bytes)
    this.#calls.delete(call.stream)
    if (!this.#reading) this.#flush()
  }

  #forget(call: Call): void {
    call.gone = true
    call.message.release()
    this.#calls.delete(call.stream)
  }

  reset(stream: number): void {
    const call = this.#calls.get(stream)
    if (call !== undefined) this.#forget(call)
  }

  setting(id: number, value: number): void {
    if (id !== INITIAL_WINDOW_SIZE) return
    for (const call of this.#calls.values()) call.window += value - this.#initialWindow
    this.#initialWindow = value
  }

  settingsEnd(): void {
    this.#chunks.push(SETTINGS_ACK)
    this.#answerWaiting()
  }

  ping(payload: Buffer): void {
    this.#chunks.push(frame(PING, ACK, 0, payload))
  }

  /** A client that leaves waits for its answers. */
  goAway(): void {}

  window(stream: number, increment: number): void {
    if (stream === 0) this.#window += increment
    const call = this.#calls.get(stream)
    if (call !== undefined) call.window += increment
    this.#answerWaiting()
  }

  #answerWaiting(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) if (!call.gone) this.#answer(call)
  }
}
