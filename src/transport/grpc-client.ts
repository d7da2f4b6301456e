import type { Signal } from '../otlp/batch.ts'
import { compress, type Encoding } from './compression.ts'
import { type Attempt, attemptCall } from './grpc-client-call.ts'
import { type ConnectionOptions, GrpcConnection } from './grpc-connection.ts'
import { GRPC_PATHS } from './otlp-services.ts'
import { type CallOptions, type CallResult, type Client, GRPC } from './unary.ts'

export interface GrpcClientOptions extends ConnectionOptions {
  /** Sent with every call; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly userAgent: string
  /** The `:authority`, where it is not the target. */
  readonly authority?: string
  /** Absent: bodies leave as they are. */
  readonly compression?: Encoding
  readonly compressionLevel?: number
  /** Waits for a connection until the call's time is up, instead of failing while the peer is away. */
  readonly waitForReady?: boolean
}

// Between attempts to connect, so that a dead peer does not cost a handshake per call. grpc-go's factor, shorter times:
// an exporter's own retries wait on top of it.
const BACKOFF_FIRST_MS = 100
const BACKOFF_FACTOR = 1.6
const BACKOFF_MAX_MS = 5_000

/** A client of the OTLP/gRPC services of one peer, over one connection that is made when it is needed. */
export function grpcClient(options: GrpcClientOptions): Client {
  return new GrpcClient(options)
}

class GrpcClient implements Client {
  readonly #options: GrpcClientOptions
  readonly #headers: Readonly<Record<Signal, Readonly<Record<string, string>>>>
  #connection: GrpcConnection | undefined
  #backoffMs = BACKOFF_FIRST_MS
  /** No attempt to connect before this, on `performance.now()`'s scale. */
  #notBefore = 0
  #lastFailure = ''
  #lastCode = ''
  #closed = false

  constructor(options: GrpcClientOptions) {
    this.#options = options
    const common = {
      ':method': 'POST',
      ':scheme': options.tls === undefined ? 'http' : 'https',
      ':authority': options.authority ?? ('path' in options.target.address ? 'localhost' : options.target.shown),
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': options.userAgent,
      ...options.headers,
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
      const result = await this.#callUntil(deadline, signal, chunks, lease)
      lease.drop()
      return result
    }
    let body: Uint8Array
    try {
      body = await compress(compression, chunks, this.#options.compressionLevel)
    } finally {
      // What goes out is a copy: the batch's own bytes are free.
      options.release?.()
    }
    return await this.#callUntil(deadline, signal, [body], new Lease(undefined))
  }

  /**
   * One attempt, and one more where the peer says that it did not look at the first (a stream above the last one of its
   * GOAWAY, REFUSED_STREAM): else every orderly restart of a peer would cost its callers a retry interval.
   */
  async #callUntil(deadline: number, signal: Signal, chunks: readonly Uint8Array[], lease: Lease): Promise<CallResult> {
    let retried = false
    for (;;) {
      const connection = this.#usable()
      const timeoutMs = deadline - performance.now()
      let attempt: Attempt
      if (timeoutMs <= 0) {
        return { ok: false, status: { code: GRPC.DEADLINE_EXCEEDED, message: `not sent in time${this.#because()}` } }
      }
      if (connection === undefined) {
        attempt = this.#away()
      } else {
        lease.hold()
        attempt = await attemptCall(connection, {
          headers: this.#headers[signal],
          chunks,
          compressed: this.#options.compression !== undefined,
          timeoutMs,
          written: () => lease.drop(),
        })
      }
      if (!attempt.unprocessed || attempt.result.ok || this.#closed) return attempt.result
      if (attempt.result.connection === undefined) {
        if (retried) return attempt.result
        retried = true
      } else {
        if (!this.#options.waitForReady) return attempt.result
        const pause = Math.max(1, Math.min(this.#notBefore, deadline) - performance.now())
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  /** The connection for a new call; a new one where the last has ended; undefined while it is too early for that. */
  #usable(): GrpcConnection | undefined {
    const current = this.#connection
    if (current?.usable) return current
    if (this.#closed || performance.now() < this.#notBefore) return undefined
    const connection = new GrpcConnection(this.#options)
    this.#connection = connection
    void connection.ready.then(() => {
      if (connection.established) {
        this.#backoffMs = BACKOFF_FIRST_MS
        return
      }
      this.#lastFailure = connection.failureText
      this.#lastCode = connection.failure?.code ?? 'ECONNRESET'
      // Full jitter on the upper half, so that many senders do not return as one.
      this.#notBefore = performance.now() + this.#backoffMs * (0.5 + Math.random() / 2)
      this.#backoffMs = Math.min(this.#backoffMs * BACKOFF_FACTOR, BACKOFF_MAX_MS)
    })
    return connection
  }

  #because(): string {
    return this.#lastFailure === '' ? '' : `; last failure to connect: ${this.#lastFailure}`
  }

  #away(): Attempt {
    const message = this.#closed ? 'the client is closed' : `cannot connect${this.#because()}`
    return {
      result: { ok: false, status: { code: GRPC.UNAVAILABLE, message }, connection: this.#lastCode },
      unprocessed: true,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const connection = this.#connection
    this.#connection = undefined
    if (connection === undefined || connection.session.destroyed) return
    // Whoever closes has waited for the calls that matter to it.
    await new Promise<void>((resolve) => {
      connection.session.once('close', () => resolve())
      connection.destroy()
    })
  }
}

/** Runs `release` once the call is over and no attempt of it writes any more. */
class Lease {
  readonly #release: (() => void) | undefined
  #holds = 1

  constructor(release: (() => void) | undefined) {
    this.#release = release
  }

  hold(): void {
    this.#holds++
  }

  drop(): void {
    if (--this.#holds === 0) this.#release?.()
  }
}
