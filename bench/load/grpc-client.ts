/** gRPC calls on node:http2, without a gRPC library, so that one core can outrun the engines. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants as http2,
  type IncomingHttpHeaders,
} from 'node:http2'
import { ACKNOWLEDGED, type Answer, broken, ofGrpc, TIMED_OUT, UNSEEN } from './answer.ts'
import type { Body } from './bodies.ts'
import { type Client, TIMEOUT_MS } from './client.ts'
import type { Load } from './protocol.ts'

export const GRPC_PATHS = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
} as const

const SWEEP_MS = 250
/** Node's own 10 MiB end a connection with a dozen large requests on it. */
export const SESSION_MIB = 1024

export class GrpcClient implements Client {
  readonly #port: number
  readonly #load: Load
  readonly #timeoutMs: number
  readonly #sessions: (ClientHttp2Session | undefined)[] = []
  /** Calls under way, the oldest first. */
  readonly #calls = new Map<ClientHttp2Stream, number>()
  readonly #sweep: NodeJS.Timeout
  #sent = 0

  constructor(port: number, load: Load) {
    this.#port = port
    this.#load = load
    this.#timeoutMs = load.timeoutMs ?? TIMEOUT_MS
    this.#sweep = setInterval(() => this.#giveUp(), SWEEP_MS)
  }

  send(slot: number, body: Body, done: (answer: Answer) => void): void {
    let stream: ClientHttp2Stream
    try {
      stream = this.#session(slot % this.#load.connections).request({
        ':method': 'POST',
        ':path': GRPC_PATHS[this.#load.signal],
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'sluice-bench/1',
        'grpc-timeout': this.#timeout(),
        ...(this.#load.compression !== undefined && { 'grpc-encoding': this.#load.compression }),
      })
    } catch {
      // The connection ended between two requests.
      setTimeout(done, 10, UNSEEN)
      return
    }
    let status: string | undefined
    let message = ''
    let withDelay = false
    const read = (headers: IncomingHttpHeaders): void => {
      const seen = headers['grpc-status']
      if (typeof seen !== 'string') return
      status = seen
      if (status === '0') return
      const text = headers['grpc-message']
      message = typeof text === 'string' ? text : ''
      withDelay = headers['grpc-status-details-bin'] !== undefined
    }
    let error: NodeJS.ErrnoException | undefined
    stream.on('response', read)
    stream.on('trailers', read)
    stream.on('error', (seen) => {
      error = seen
    })
    stream.on('close', () => {
      const late = !this.#calls.delete(stream)
      if (status === '0') done(ACKNOWLEDGED)
      else if (status !== undefined) done(ofGrpc(status, message, withDelay))
      else if (late) done(TIMED_OUT)
      else if (stream.rstCode === http2.NGHTTP2_REFUSED_STREAM) done(UNSEEN)
      else done(broken(error?.message ?? `reset with ${stream.rstCode}`))
    })
    stream.resume()
    this.#calls.set(stream, performance.now())
    const last = body.parts.length - 1
    for (let i = 0; i < last; i++) stream.write(body.parts[i])
    stream.end(body.parts[last])
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const session of this.#sessions) session?.destroy()
  }

  /** Counts down from one request to the next as that of a real client does, in µs: no two headers are the same. */
  #timeout(): string {
    return `${Math.floor(this.#timeoutMs * 1000) - (this.#sent++ % 99_991)}u`
  }

  #session(index: number): ClientHttp2Session {
    const open = this.#sessions[index]
    if (open !== undefined && !open.closed && !open.destroyed) return open
    const session = connect(`http://127.0.0.1:${this.#port}`, { maxSessionMemory: SESSION_MIB })
    // What it means for requests is said by their streams.
    session.on('error', () => {})
    this.#sessions[index] = session
    return session
  }

  #giveUp(): void {
    const latest = performance.now() - this.#timeoutMs
    for (const [stream, since] of this.#calls) {
      if (since > latest) return
      this.#calls.delete(stream)
      stream.close(http2.NGHTTP2_CANCEL)
    }
  }
}
