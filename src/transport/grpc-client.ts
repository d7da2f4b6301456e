import { arenas } from '../otlp/arena.ts'
import type { Signal } from '../otlp/batch.ts'
import { compressedForm } from './compressed-form.ts'
import { compress } from './compression.ts'
import { type ChannelFailure, type ChannelOptions, GrpcChannel } from './grpc-channel.ts'
import { attemptCall } from './grpc-client-call.ts'
import { GRPC_ENCODINGS, type GrpcEncoding } from './grpc-encodings.ts'
import { Lease } from './lease.ts'
import { GRPC_PATHS } from './otlp-services.ts'
import { type Sign, signed } from './sign.ts'
import { type CallOptions, type CallResult, type Client, GRPC } from './unary.ts'

export interface GrpcClientOptions extends ChannelOptions {
  /** Sent with every call; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** Asked with every call what becomes of `headers`; a rejection fails the call, which may be tried again. */
  readonly sign?: Sign
  readonly userAgent: string
  /** Absent: bodies leave as they are. */
  readonly compression?: GrpcEncoding
  readonly compressionLevel?: number
  /** Waits for a connection until the call's time is up, instead of failing while the peer is away. */
  readonly waitForReady?: boolean
}

/** A client of the OTLP/gRPC services of one target, over connections that are made when they are needed. */
export function grpcClient(options: GrpcClientOptions): Client {
  return new GrpcClient(options)
}

class GrpcClient implements Client {
  readonly #options: GrpcClientOptions
  readonly #headers: Readonly<Record<Signal, Readonly<Record<string, string>>>>
  readonly #channel: GrpcChannel
  #closed = false

  constructor(options: GrpcClientOptions) {
    this.#options = options
    this.#channel = new GrpcChannel(options)
    const common = {
      ':method': 'POST',
      ':scheme': options.tls === undefined ? 'http' : 'https',
      ':authority': options.authority ?? options.target.authority,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': options.userAgent,
      ...(options.sign === undefined && options.headers),
      ...(options.compression !== undefined && { 'grpc-encoding': options.compression }),
    }
    this.#headers = {
      traces: { ...common, ':path': GRPC_PATHS.traces },
      metrics: { ...common, ':path': GRPC_PATHS.metrics },
      logs: { ...common, ':path': GRPC_PATHS.logs },
      profiles: { ...common, ':path': GRPC_PATHS.profiles },
    }
  }

  async call(signal: Signal, chunks: readonly Uint8Array[], options: CallOptions): Promise<CallResult> {
    const deadline = options.timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutMs
    const { compression } = this.#options
    if (compression === undefined) {
      const lease = new Lease(options.release)
      const result = await this.#callUntil(deadline, signal, chunks, options, lease)
      lease.drop()
      return result
    }
    const asItCame = this.#asItCame(chunks)
    if (asItCame !== undefined) {
      options.release?.()
      const lease = new Lease(() => arenas.release(asItCame))
      const result = await this.#callUntil(deadline, signal, [asItCame], options, lease)
      lease.drop()
      return result
    }
    let body: Uint8Array
    try {
      body = await compress(GRPC_ENCODINGS[compression], chunks, this.#options.compressionLevel)
    } finally {
      // What goes out is a copy: the batch's own bytes are free.
      options.release?.()
    }
    return await this.#callUntil(deadline, signal, [body], options, new Lease(undefined))
  }

  /** Retained for the caller, who releases it; undefined where the request has to be compressed here. */
  #asItCame(chunks: readonly Uint8Array[]): Uint8Array | undefined {
    const { compression, compressionLevel } = this.#options
    if (chunks.length !== 1 || compressionLevel !== undefined) return undefined
    const form = compressedForm(chunks[0]!, GRPC_ENCODINGS[compression!])
    if (form !== undefined) arenas.retain(form)
    return form
  }

  /**
   * One attempt, and one more where the peer says that it did not look at the first (a stream above the last one of its
   * GOAWAY, REFUSED_STREAM): else every orderly restart of a peer would cost its callers a retry interval.
   */
  async #callUntil(
    deadline: number,
    signal: Signal,
    chunks: readonly Uint8Array[],
    options: CallOptions,
    lease: Lease,
  ): Promise<CallResult> {
    const { sign } = this.#options
    let headers = this.#headers[signal]
    if (sign !== undefined) {
      const more = await signed(sign, this.#options.headers ?? {}, options.context)
      if (!('headers' in more)) return more
      headers = { ...headers, ...more.headers }
    }
    if (options.context?.trace !== undefined) headers = { ...headers, ...options.context.trace.headers }
    let retried = false
    for (;;) {
      const timeoutMs = deadline - performance.now()
      if (this.#closed) return unavailable({ text: 'the client is closed', code: 'ECANCELED' })
      if (timeoutMs <= 0) return this.#late(options.timeoutMs)
      const connection = this.#channel.pick()
      if (connection === undefined) {
        const { failure } = this.#channel
        if (failure !== undefined && !this.#options.waitForReady) return unavailable(failure)
        await this.#channel.changed(timeoutMs)
        continue
      }
      lease.hold()
      const attempt = await attemptCall(connection, {
        headers,
        chunks,
        compressed: this.#options.compression !== undefined,
        timeoutMs,
        written: () => lease.drop(),
      })
      if (!attempt.unprocessed || attempt.result.ok || retried) return attempt.result
      retried = true
    }
  }

  #late(timeoutMs: number): CallResult {
    const last = this.#channel.lastFailure
    const because = last === '' ? '' : `; last failure to connect: ${last}`
    const message = `no connection within ${(timeoutMs / 1000).toFixed(1)} s${because}`
    return { ok: false, status: { code: GRPC.DEADLINE_EXCEEDED, message } }
  }

  async close(): Promise<void> {
    this.#closed = true
    // Whoever closes has waited for the calls that matter to it.
    await this.#channel.close()
  }
}

function unavailable({ text, code }: ChannelFailure): CallResult {
  return { ok: false, status: { code: GRPC.UNAVAILABLE, message: text }, connection: code }
}
