/** gRPC calls without a gRPC library, so that one core can outrun the engines. */
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import type { Answer } from './answer.ts'
import type { Body } from './bodies.ts'
import { type Client, TIMEOUT_MS } from './client.ts'
import type { GrpcCall } from './grpc-call.ts'
import { GrpcConnection } from './grpc-connection.ts'
import { RequestHead } from './grpc-request-head.ts'
import type { Load } from './protocol.ts'

const SWEEP_MS = 250

export class GrpcClient implements Client {
  readonly #port: number
  readonly #head: RequestHead
  readonly #count: number
  readonly #timeoutMs: number
  readonly #connections: GrpcConnection[] = []
  /** Calls under way, the oldest first. */
  readonly #calls = new Map<GrpcCall, GrpcConnection>()
  readonly #sweep: NodeJS.Timeout

  constructor(port: number, load: Load) {
    this.#port = port
    this.#count = load.connections
    this.#timeoutMs = load.timeoutMs ?? TIMEOUT_MS
    this.#head = new RequestHead({
      authority: `127.0.0.1:${port}`,
      path: GRPC_PATHS[load.signal],
      timeoutMs: this.#timeoutMs,
      encoding: load.compression,
    })
    this.#sweep = setInterval(() => this.#giveUp(), SWEEP_MS)
  }

  send(slot: number, body: Body, done: (answer: Answer) => void): void {
    const connection = this.#connection(slot % this.#count)
    const call: GrpcCall = connection.send(body, (answer) => {
      this.#calls.delete(call)
      done(answer)
    })
    this.#calls.set(call, connection)
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const connection of this.#connections) connection?.close()
  }

  #connection(index: number): GrpcConnection {
    const open = this.#connections[index]
    if (open !== undefined && !open.ended) return open
    const connection = new GrpcConnection(this.#port, this.#head)
    this.#connections[index] = connection
    return connection
  }

  #giveUp(): void {
    const latest = performance.now() - this.#timeoutMs
    for (const [call, connection] of this.#calls) {
      if (call.since > latest) return
      connection.giveUp(call)
    }
  }
}
