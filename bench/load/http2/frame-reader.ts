/** Frames of HTTP/2 out of the chunks of a socket. */
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEAD_BYTES,
  HEADERS,
  MOST_PAYLOAD,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'
import { ProtocolError } from './protocol-error.ts'

/** More than any server or client of gRPC takes. */
const MOST_HEADER_BYTES = 1 << 20
const EMPTY = Buffer.alloc(0)

/** Bytes handed over are only there until the call returns. */
export interface FrameHandler {
  /** `bytes[start, end)` came for a stream, and took `spent` of the windows. `ended`: it was the last of it. */
  data(stream: number, bytes: Buffer, start: number, end: number, spent: number, ended: boolean): void
  /** A whole header block. */
  headers(stream: number, block: Buffer, ended: boolean): void
  reset(stream: number, code: number): void
  setting(id: number, value: number): void
  /** All of a SETTINGS frame was handed over, and waits to be acknowledged. */
  settingsEnd(): void
  ping(payload: Buffer): void
  goAway(lastStream: number, code: number): void
  window(stream: number, increment: number): void
}

/**
 * Calls a handler for what the peer sends. DATA without padding comes in the pieces in which the socket has it; everything else is
 * put together first. Throws ProtocolError.
 */
export class FrameReader {
  readonly #handler: FrameHandler
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  /** Of the frame under way: what is still to come of it. */
  #left = 0
  #type = 0
  #flags = 0
  #stream = 0
  /** Payload that came in several chunks. */
  readonly #payload = Buffer.alloc(MOST_PAYLOAD)
  #payloadBytes = 0
  /** A header block whose end is in a CONTINUATION: its stream, or 0. */
  #open = 0
  #openEnded = false
  #block: Buffer = EMPTY

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      at = this.#headBytes < HEAD_BYTES ? this.#readHead(chunk, at) : this.#readPayload(chunk, at)
    }
  }

  #readHead(chunk: Buffer, from: number): number {
    const missing = HEAD_BYTES - this.#headBytes
    if (missing === HEAD_BYTES && chunk.length - from >= HEAD_BYTES) {
      this.#headBytes = HEAD_BYTES
      this.#begin(chunk, from)
      return from + HEAD_BYTES
    }
    const read = chunk.copy(this.#head, this.#headBytes, from, from + missing)
    this.#headBytes += read
    if (read === missing) this.#begin(this.#head, 0)
    return from + read
  }

  #begin(head: Buffer, at: number): void {
    this.#left = head.readUIntBE(at, 3)
    this.#type = head[at + 3]!
    this.#flags = head[at + 4]!
    this.#stream = head.readUInt32BE(at + 5) & 0x7fff_ffff
    if (this.#left > MOST_PAYLOAD) {
      throw new ProtocolError(`a frame of ${this.#left} bytes; ${MOST_PAYLOAD} are allowed`)
    }
    if (this.#open !== 0 && (this.#type !== CONTINUATION || this.#stream !== this.#open)) {
      throw new ProtocolError(`a frame of type ${this.#type} in the middle of a header block`)
    }
    if (this.#left > 0) return
    this.#headBytes = 0
    if (this.#type === DATA && (this.#flags & PADDED) === 0) this.#data(EMPTY, 0, 0, 0)
    else this.#whole(EMPTY)
  }

  #readPayload(chunk: Buffer, from: number): number {
    const read = Math.min(this.#left, chunk.length - from)
    const to = from + read
    this.#left -= read
    if (this.#left === 0) this.#headBytes = 0
    if (this.#type === DATA && (this.#flags & PADDED) === 0) {
      this.#data(chunk, from, to, read)
    } else if (this.#left === 0 && this.#payloadBytes === 0) {
      this.#whole(chunk.subarray(from, to))
    } else {
      this.#payloadBytes += chunk.copy(this.#payload, this.#payloadBytes, from, to)
      if (this.#left === 0) {
        const payload = this.#payload.subarray(0, this.#payloadBytes)
        this.#payloadBytes = 0
        this.#whole(payload)
      }
    }
    return to
  }

  #data(bytes: Buffer, start: number, end: number, spent: number): void {
    const ended = this.#left === 0 && (this.#flags & END_STREAM) !== 0
    this.#handler.data(this.#onStream(), bytes, start, end, spent, ended)
  }

  #whole(payload: Buffer): void {
    const handler = this.#handler
    switch (this.#type) {
      case DATA: {
        const [start, end] = this.#withoutPadding(payload)
        this.#data(payload, start, end, payload.length)
        break
      }
      case HEADERS: {
        const [start, end] = this.#withoutPadding(payload)
        const from = start + ((this.#flags & PRIORITY) === 0 ? 0 : 5)
        if (from > end) throw new ProtocolError('HEADERS without room for their priority')
        this.#openEnded = (this.#flags & END_STREAM) !== 0
        this.#headers(payload.subarray(from, end))
        break
      }
      case CONTINUATION:
        if (this.#open === 0) throw new ProtocolError('CONTINUATION of nothing')
        this.#headers(Buffer.concat([this.#block, payload]))
        break
      case RST_STREAM:
        handler.reset(this.#onStream(), this.#sized(payload, 4).readUInt32BE())
        break
      case SETTINGS:
        if ((this.#flags & ACK) !== 0) break
        if (payload.length % 6 !== 0) throw new ProtocolError(`SETTINGS of ${payload.length} bytes`)
        for (let at = 0; at < payload.length; at += 6) {
          handler.setting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
        }
        handler.settingsEnd()
        break
      case PUSH_PROMISE:
        throw new ProtocolError('PUSH_PROMISE where nobody wants any')
      case PING:
        if ((this.#flags & ACK) === 0) handler.ping(this.#sized(payload, 8))
        break
      case GOAWAY:
        if (payload.length < 8) throw new ProtocolError(`GOAWAY of ${payload.length} bytes`)
        handler.goAway(payload.readUInt32BE() & 0x7fff_ffff, payload.readUInt32BE(4))
        break
      case WINDOW_UPDATE: {
        const increment = this.#sized(payload, 4).readUInt32BE() & 0x7fff_ffff
        if (increment === 0) throw new ProtocolError('WINDOW_UPDATE by nothing')
        handler.window(this.#stream, increment)
        break
      }
    }
  }

  /** A further part of a header block; handed over once it is the last. */
  #headers(block: Buffer): void {
    const stream = this.#onStream()
    if ((this.#flags & END_HEADERS) !== 0) {
      this.#open = 0
      this.#block = EMPTY
      this.#handler.headers(stream, block, this.#openEnded)
      return
    }
    if (block.length > MOST_HEADER_BYTES)
      throw new ProtocolError(`a header block of more than ${MOST_HEADER_BYTES} bytes`)
    this.#open = stream
    this.#block = Buffer.from(block)
  }

  #withoutPadding(payload: Buffer): readonly [start: number, end: number] {
    if ((this.#flags & PADDED) === 0) return [0, payload.length]
    const padding = payload[0]
    if (padding === undefined || padding >= payload.length) throw new ProtocolError('a frame of nothing but padding')
    return [1, payload.length - padding]
  }

  #onStream(): number {
    if (this.#stream === 0) throw new ProtocolError(`a frame of type ${this.#type} on stream 0`)
    return this.#stream
  }

  #sized(payload: Buffer, bytes: number): Buffer {
    if (payload.length !== bytes) throw new ProtocolError(`a frame of type ${this.#type} with ${payload.length} bytes`)
    return payload
  }
}
