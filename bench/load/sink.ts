/** The backend behind the engine: says yes to everything and counts it, over gRPC or HTTP. */
import type { AddressInfo, Server } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { countItems } from '../../src/otlp/count.ts'
import type { BenchSignal } from '../payload/payload.ts'
import { marksIn } from '../payload/trace-ids.ts'
import { grpcSink } from './grpc-sink.ts'
import { httpSink } from './http-sink.ts'
import type { SinkOptions } from './protocol.ts'
import type { Requests } from './requests.ts'
import { Throttle } from './throttle.ts'

const NONE: readonly number[] = []

export class Sink implements Requests {
  #throttle: Throttle | undefined
  readonly #options: SinkOptions
  #server: Server | undefined
  /** Compressed requests whose items are known, by their length: no need to decompress them. */
  readonly #known = new Map<number, { readonly bytes: Buffer; readonly items: number }[]>()
  /** Called with the number of every request that arrived; set where requests carry numbers. */
  arrived: ((number: number) => void) | undefined
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
    const server = this.#options.protocol === 'grpc' ? grpcSink(this) : httpSink(this)
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

  take(signal: BenchSignal, message: Buffer, coding: string | undefined, gone: () => boolean, serve: () => void): void {
    try {
      const { items, numbers } = this.#count(signal, message, coding)
      const bytes = message.length
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
      this.broken(error instanceof Error ? error : new Error(String(error)))
      if (!gone()) serve()
    }
  }

  broken(error: Error): void {
    this.failures.push(`sink: ${error.message}`)
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
}
