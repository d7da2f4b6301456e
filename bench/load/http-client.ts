/** OTLP/HTTP by hand on node:net: a head that is made once, one request at a time on each connection. */
import { connect, type Socket } from 'node:net'
import { type Answer, broken, ofHttp, TIMED_OUT } from './answer.ts'
import type { Body } from './bodies.ts'
import { type Client, TIMEOUT_MS } from './client.ts'
import type { Load } from './protocol.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
/** What a socket has is looked at before another one reads: one buffer does for all. */
const READ = Buffer.alloc(64 << 10)
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

export class HttpClient implements Client {
  readonly #port: number
  readonly #head: string
  readonly #timeoutMs: number
  readonly #connections = new Map<number, Connection>()

  constructor(port: number, load: Load) {
    this.#port = port
    this.#timeoutMs = load.timeoutMs ?? TIMEOUT_MS
    this.#head =
      `POST /v1/${load.signal} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: sluice-bench/1\r\n` +
      `Content-Type: application/x-protobuf\r\n` +
      (load.compression === undefined ? '' : `Content-Encoding: ${load.compression}\r\n`)
  }

  send(slot: number, body: Body, done: (answer: Answer) => void): void {
    let connection = this.#connections.get(slot)
    if (connection === undefined || connection.ended) {
      connection = new Connection(this.#port, this.#timeoutMs)
      this.#connections.set(slot, connection)
    }
    connection.send(this.#head, body, done)
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.end()
  }
}

class Connection {
  readonly #socket: Socket
  #done: ((answer: Answer) => void) | undefined
  #seen: Buffer | undefined
  #late = false
  ended = false

  constructor(port: number, timeoutMs: number) {
    const callback = (bytes: number): boolean => {
      this.#read(READ.subarray(0, bytes))
      return true
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ, callback } })
    this.#socket.setTimeout(timeoutMs, () => {
      this.#late = true
      this.#socket.destroy()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.ended = true
      this.#settle(this.#late ? TIMED_OUT : broken('the connection ended before the answer'))
    })
  }

  send(head: string, body: Body, done: (answer: Answer) => void): void {
    this.#done = done
    this.#socket.cork()
    this.#socket.write(Buffer.from(`${head}Content-Length: ${body.bytes}\r\n\r\n`, 'latin1'))
    for (const part of body.parts) this.#socket.write(part)
    this.#socket.uncork()
  }

  end(): void {
    this.#done = undefined
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const seen = this.#seen === undefined ? chunk : Buffer.concat([this.#seen, chunk])
    this.#seen = this.#whole(seen) ? undefined : Buffer.from(seen)
  }

  #whole(seen: Buffer): boolean {
    const end = seen.indexOf(HEAD_END)
    if (end < 0) return false
    const head = seen.toString('latin1', 0, end).toLowerCase()
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
    const whole = length === undefined ? seen.subarray(-5).equals(LAST_CHUNK) : seen.length >= end + 4 + Number(length)
    if (!whole) return false
    const closes = head.includes('\r\nconnection: close')
    if (closes) this.ended = true
    this.#settle(ofHttp(Number(head.slice(9, 12)), head.includes('\r\nretry-after:')))
    if (closes) this.#socket.destroy()
    return true
  }

  #settle(answer: Answer): void {
    const done = this.#done
    this.#done = undefined
    done?.(answer)
  }
}
