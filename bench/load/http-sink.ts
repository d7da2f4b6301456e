/** An OTLP/HTTP server in clear text that takes whole requests, by HTTP/1.1 on node:net: one after the other on a connection. */
import type { Server, Socket } from 'node:net'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'
import type { BenchSignal } from '../payload/payload.ts'
import { accept } from './accept.ts'
import { Message } from './message.ts'
import type { Requests } from './requests.ts'

const SIGNALS: readonly BenchSignal[] = ['traces', 'logs', 'metrics']
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n')
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END = Buffer.from('\r\n')
const MOST_HEAD_BYTES = 64 << 10

export function httpSink(requests: Requests): Server {
  return accept((socket, read) => {
    const connection = new SinkConnection(socket, requests)
    read((chunk) => connection.read(chunk))
  })
}

/** What is read next. A chunk is its size on a line, so many bytes, and a line end; the last one has none, and trailers may follow. */
type Next = 'head' | 'body' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers'

class SinkConnection {
  readonly #socket: Socket
  readonly #requests: Requests
  #gone = false
  #next: Next = 'head'
  /** A head or line that came in pieces. */
  readonly #line = new Message()
  readonly #message = new Message()
  /** Bytes of the body or chunk that are still to come. */
  #left = 0
  #signal: BenchSignal = 'traces'
  #coding: string | undefined

  constructor(socket: Socket, requests: Requests) {
    this.#socket = socket
    this.#requests = requests
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#gone = true
      this.#message.release()
      this.#line.release()
    })
  }

  read(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at)
    } catch (error) {
      this.#requests.broken(error as Error)
      this.#socket.destroy()
    }
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#next) {
      case 'head':
        return this.#until(HEAD_END, chunk, at, (head) => this.#head(head))
      case 'body':
      case 'chunk': {
        const end = Math.min(chunk.length, at + this.#left)
        this.#message.append(chunk, at, end, this.#left)
        this.#left -= end - at
        if (this.#left > 0) return end
        if (this.#next === 'chunk') this.#next = 'chunk end'
        else this.#take()
        return end
      }
      case 'chunk size':
        return this.#until(LINE_END, chunk, at, (line) => {
          this.#left = Number.parseInt(line, 16)
          if (!(this.#left >= 0)) throw new Error(`a chunk of "${line}" bytes`)
          this.#next = this.#left === 0 ? 'trailers' : 'chunk'
        })
      case 'chunk end':
        return this.#until(LINE_END, chunk, at, (line) => {
          if (line !== '') throw new Error(`"${line}" behind a chunk`)
          this.#next = 'chunk size'
        })
      case 'trailers':
        return this.#until(LINE_END, chunk, at, (line) => {
          if (line === '') this.#take()
        })
    }
  }

  /** Calls `found` with what there is before `end`, once that has come, and gives where the rest begins. */
  #until(end: Buffer, chunk: Buffer, at: number, found: (text: string) => void): number {
    const before = this.#line.length
    // The end may have begun in an earlier chunk.
    const seam = Math.min(before, end.length - 1)
    if (before === 0) {
      const to = chunk.indexOf(end, at)
      if (to >= 0) {
        found(chunk.toString('latin1', at, to))
        return to + end.length
      }
    }
    this.#line.append(chunk, at, chunk.length)
    const bytes = this.#line.bytes
    const to = bytes.indexOf(end, before - seam)
    if (to < 0) {
      if (bytes.length > MOST_HEAD_BYTES) throw new Error(`a head of more than ${MOST_HEAD_BYTES} bytes`)
      return chunk.length
    }
    const text = bytes.toString('latin1', 0, to)
    this.#line.release()
    found(text)
    return at + to + end.length - before
  }

  #head(head: string): void {
    const [method, path] = head.split(' ', 2)
    if (method !== 'POST' || path === undefined) throw new Error(`a request that begins with "${head.slice(0, 20)}"`)
    this.#signal = SIGNALS.find((known) => path === HTTP_PATHS[known]) ?? 'traces'
    this.#coding = CODING.exec(head)?.[1]
    if (EXPECT.test(head)) this.#socket.write(CONTINUE)
    if (CHUNKED.test(head)) {
      this.#next = 'chunk size'
      return
    }
    this.#next = 'body'
    this.#left = Number(LENGTH.exec(head)?.[1] ?? 0)
    if (this.#left === 0) this.#take()
  }

  #take(): void {
    this.#next = 'head'
    this.#requests.take(
      this.#signal,
      this.#message.bytes,
      this.#coding,
      () => this.#gone,
      () => void this.#socket.write(ANSWER),
    )
    this.#message.release()
  }
}

/** Finds the value of a header field. */
const field = (name: string): RegExp => new RegExp(`\r\n${name}:[ \t]*([^\r]*)`, 'i')
const CODING = field('content-encoding')
const EXPECT = field('expect')
const CHUNKED = field('transfer-encoding')
const LENGTH = field('content-length')
