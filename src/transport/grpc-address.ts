import { type ConnectionOptions, GrpcConnection } from './grpc-connection.ts'

/** Waits between attempts to connect to one address. */
export interface ConnectBackoff {
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
  /** Each wait is up to this share of itself shorter or longer. */
  readonly jitter: number
}

/** gRPC's connection backoff protocol, as every implementation has it. */
export const GRPC_BACKOFF: ConnectBackoff = { firstMs: 1000, factor: 1.6, maxMs: 120_000, jitter: 0.2 }

/** A peer that lets in and throws out at once is not asked more often than this. */
const LEAST_MS = 50

/** One address of a target and the connection to it, which is made when a call wants it, and again when it was lost. */
export class GrpcAddress {
  readonly key: string
  /** The last attempt failed; what came before may have worked. */
  failing = false
  failureText = ''
  failureCode = ''
  /** No attempt to connect before this, on the clock's monotonic scale. */
  notBefore = 0
  /** When the attempt that is under way began. */
  startedAt = 0
  readonly #options: ConnectionOptions
  readonly #backoff: ConnectBackoff
  readonly #changed: () => void
  /** Doubles whenever the peer complains, as grpc-go's does. */
  #keepaliveMs: number
  #connection: GrpcConnection | undefined
  /** Those whose sockets are open: the current one, and others that leave. */
  readonly #open = new Set<GrpcConnection>()
  #waitMs: number

  constructor(
    key: string,
    options: ConnectionOptions,
    { backoff, changed }: { readonly backoff: ConnectBackoff; readonly changed: () => void },
  ) {
    this.key = key
    this.#options = options
    this.#backoff = backoff
    this.#changed = changed
    this.#waitMs = backoff.firstMs
    this.#keepaliveMs = options.keepalive?.everyMs ?? 0
  }

  /** The connection, if calls can go there now. */
  get ready(): GrpcConnection | undefined {
    const connection = this.#connection
    return connection?.usable === true ? connection : undefined
  }

  get connecting(): boolean {
    const connection = this.#connection
    return connection !== undefined && !connection.established && !connection.ended
  }

  /** Begins to connect, unless it is connected, on its way, or it is too early after the last attempt. */
  connect(now: number): void {
    if (this.ready !== undefined || this.connecting || now < this.notBefore) return
    this.startedAt = now
    this.notBefore = now + LEAST_MS
    const { keepalive } = this.#options
    let known = false
    let complained = false
    const connection = new GrpcConnection({
      ...this.#options,
      ...(keepalive !== undefined && { keepalive: { ...keepalive, everyMs: this.#keepaliveMs } }),
      changed: () => {
        if (!known) {
          known = true
          if (connection.established) this.#arrived()
          else this.#failed(connection)
        }
        if (connection.tooManyPings && !complained) {
          complained = true
          this.#keepaliveMs *= 2
        }
        if (connection.ended) this.#open.delete(connection)
        this.#changed()
      },
    })
    this.#connection = connection
    this.#open.add(connection)
  }

  /** No socket of its is open. */
  get idle(): boolean {
    return this.#open.size === 0
  }

  #arrived(): void {
    this.failing = false
    this.#waitMs = this.#backoff.firstMs
  }

  #failed(connection: GrpcConnection): void {
    this.failing = true
    this.failureText = connection.failureText
    this.failureCode = connection.failure?.code ?? 'ECONNRESET'
    const { factor, jitter, maxMs } = this.#backoff
    this.notBefore = this.startedAt + this.#waitMs * (1 - jitter + 2 * jitter * Math.random())
    this.#waitMs = Math.min(this.#waitMs * factor, maxMs)
  }

  /** Takes no new calls; those under way end as they would. */
  drain(): void {
    for (const connection of this.#open) connection.drain()
  }

  /** Ends the calls under way too. */
  async close(): Promise<void> {
    await Promise.all(
      Array.from(this.#open, (connection) => {
        const ended = connection.whenEnded()
        connection.destroy()
        return ended
      }),
    )
  }
}
