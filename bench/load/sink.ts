/** The backend behind the engine: says yes to everything and counts it, over gRPC or HTTP. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { countItems } from '../../src/otlp/count.ts'
import type { BenchSignal } from '../payload/payload.ts'
import { marksIn } from '../payload/trace-ids.ts'
import { GRPC_PATHS, SESSION_MIB } from './grpc-client.ts'
import type { SinkOptions } from './protocol.ts'
import { Throttle } from './throttle.ts'

const WINDOW = 16 << 20
/** An empty response message in its gRPC frame. */
const EMPTY_RESPONSE = Buffer.alloc(5)
const FRAME = 5

export class Sink {
  #throttle: Throttle | undefined
  readonly #options: SinkOptions
  #server: Server | undefined
  /** Compressed requests whose items are known, by their length: no need to decompress them. */
  readonly #known = new Map<number, { readonly bytes: Buffer; readonly items: number }[]>()
  /** Called with the number of every request that arrived; set where requests carry numbers. */
  arrived: ((number: number) => void) | undefined
  /** Several chunks are joined here, for as long as it takes to count them. */
  #joined = Buffer.alloc(1 << 20)
  items = 0
  requests = 0
  bytes = 0
  /** What could not be read. */
  readonly failures: string[] = []

  constructor(options: SinkOptions) {
    this.#options = options
  }

  /** Takes no more than its limit from now on. */
  limit(): void {
    const { itemsPerSecond } = this.#options
    if (itemsPerSecond !== undefined) this.#throttle = new Throttle(itemsPerSecond)
  }

  listen(): Promise<number> {
    const server = this.#options.protocol === 'grpc' ? this.#grpc() : this.#http()
    this.#server = server
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  }

  close(): void {
    this.#server?.close()
  }

  know(bytes: Buffer, items: number): void {
    const same = this.#known.get(bytes.length) ?? []
    same.push({ bytes, items })
    this.#known.set(bytes.length, same)
  }

  /** Takes all that comes from now on. */
  lift(): void {
    this.#throttle?.lift()
    this.#throttle = undefined
  }

  #grpc(): Server {
    const server = createServer({
      settings: { initialWindowSize: WINDOW, maxConcurrentStreams: 4096 },
      maxSessionMemory: SESSION_MIB,
    })
    server.on('session', (session) => session.setLocalWindowSize(WINDOW))
    server.on('stream', (stream, headers) => {
      const path = headers[':path']
      const signal = SIGNALS.find((known) => GRPC_PATHS[known] === path) ?? 'traces'
      const coding = headers['grpc-encoding']
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', () => {})
      stream.on('end', () => {
        this.#take(
          signal,
          chunks,
          FRAME,
          (frame) => (frame[0] === 1 ? String(coding) : undefined),
          () => stream.destroyed,
          () => answer(stream),
        )
      })
    })
    return server
  }

  #http(): Server {
    const server = createHttpServer((request: IncomingMessage, response: ServerResponse) => {
      const signal = SIGNALS.find((known) => request.url === `/v1/${known}`) ?? 'traces'
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('error', () => {})
      request.on('end', () => {
        this.#take(
          signal,
          chunks,
          0,
          () => request.headers['content-encoding'],
          () => response.destroyed,
          () => {
            response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 })
            response.end()
          },
        )
      })
    })
    server.keepAliveTimeout = 60_000
    return server
  }

  #take(
    signal: BenchSignal,
    chunks: readonly Buffer[],
    skip: number,
    codingOf: (frame: Buffer) => string | undefined,
    gone: () => boolean,
    serve: () => void,
  ): void {
    try {
      const whole = this.#join(chunks)
      const { items, numbers } = this.#count(signal, whole.subarray(skip), codingOf(whole))
      const bytes = whole.length - skip
      const book = (): void => {
        // Whoever gave it up sends it again: it would count twice.
        if (gone()) return
        this.items += items
        this.requests++
        this.bytes += bytes
        for (const number of numbers) this.arrived?.(number)
        serve()
      }
      if (this.#throttle === undefined) book()
      else this.#throttle.push(items, gone, book)
    } catch (error) {
      this.failures.push(`sink: ${error instanceof Error ? error.message : String(error)}`)
      if (!gone()) serve()
    }
  }

  #count(
    signal: BenchSignal,
    message: Buffer,
    coding: string | undefined,
  ): { readonly items: number; readonly numbers: readonly number[] } {
    const known = this.#known.get(message.length)?.find(({ bytes }) => bytes.equals(message))
    if (known !== undefined) return { items: known.items, numbers: NONE }
    const plain = coding === 'gzip' ? gunzipSync(message) : coding === 'zstd' ? zstdDecompressSync(message) : message
    const items = countItems(signal, plain)
    if (this.arrived === undefined || signal !== 'traces') return { items, numbers: NONE }
    const numbers: number[] = []
    marksIn(plain, (number) => numbers.push(number))
    return { items, numbers }
  }

  #join(chunks: readonly Buffer[]): Buffer {
    if (chunks.length === 1) return chunks[0]!
    let length = 0
    for (const chunk of chunks) length += chunk.length
    if (this.#joined.length < length) this.#joined = Buffer.alloc(length * 2)
    let at = 0
    for (const chunk of chunks) at += chunk.copy(this.#joined, at)
    return this.#joined.subarray(0, length)
  }
}

const SIGNALS: readonly BenchSignal[] = ['traces', 'logs', 'metrics']
const NONE: readonly number[] = []

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers({ 'grpc-status': '0' })
  })
  stream.end(EMPTY_RESPONSE)
}
