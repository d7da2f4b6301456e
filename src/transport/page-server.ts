import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { LONGEST_TIMER_MS } from '../clock.ts'
import { type Binding, bind } from './bind.ts'
import type { Cors } from './cors.ts'
import type { ListenAddress } from './listen-address.ts'
import type { ServerTls } from './tls.ts'

/** Node's own. */
const LONGEST_CHECK_MS = 30_000
const SHORTEST_CHECK_MS = 10

export interface PageServerOptions {
  readonly address: ListenAddress
  /** Named in errors: `extension zpages: endpoint`. */
  readonly configuredBy: string
  /** HTTPS where given. */
  readonly tls?: ServerTls
  /** On every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds; 0 is no limit. */
  readonly readTimeoutMs: number
  /** 0 is `readTimeoutMs`. */
  readonly readHeaderTimeoutMs: number
  readonly writeTimeoutMs: number
  /** 0 is `readTimeoutMs`. */
  readonly idleTimeoutMs: number
  readonly keepAlive: boolean
  /** Answers whatever the method; GET and HEAD only if absent. */
  readonly anyMethod?: boolean
  /** What pages of other origins may ask. */
  readonly cors?: Cors
}

/** A request whose body nobody reads. */
export interface PageRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly peer: Socket
  /** Aborts when the client goes away before it is answered. */
  readonly gone: AbortSignal
}

/** A whole answer. A stream is sent as it comes. */
export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array | NodeJS.ReadableStream
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A small HTTP server for pages that people, probes and tools ask for: health, zpages, profiles. Answers GET and HEAD; what
 * `answer` throws becomes a 500 that says so, and costs no other request.
 */
export class PageServer {
  readonly #options: PageServerOptions
  readonly #server: http.Server
  #binding: Binding | undefined

  constructor(options: PageServerOptions, answer: (request: PageRequest) => Page | Promise<Page>) {
    this.#options = options
    const timeouts = timeoutsOf(options)
    const listener: http.RequestListener = (request, response) => void this.#serve(request, response, answer)
    if (options.tls === undefined) {
      this.#server = http.createServer(timeouts, listener)
    } else {
      const server = https.createServer({ ...timeouts, ...options.tls.options }, listener)
      options.tls.attach(server)
      this.#server = server
    }
    this.#server.setTimeout(Math.min(LONGEST_TIMER_MS, Math.ceil(options.writeTimeoutMs)))
  }

  /** Resolves with the address it listens at; rejects with a `LISTEN_…` error. */
  async start(): Promise<string> {
    this.#binding = await bind(this.#server, this.#options.address, this.#options.configuredBy)
    return this.#binding.address
  }

  /** Takes no more requests, lets those under way finish until the signal aborts. Safe twice and unstarted. */
  async stop(signal: AbortSignal): Promise<void> {
    const binding = this.#binding
    this.#binding = undefined
    if (binding === undefined) return
    const closed = binding.close()
    this.#server.closeIdleConnections()
    const cut = (): void => this.#server.closeAllConnections()
    if (signal.aborted) cut()
    else signal.addEventListener('abort', cut, { once: true })
    await closed
    signal.removeEventListener('abort', cut)
  }

  async #serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    answer: (request: PageRequest) => Page | Promise<Page>,
  ): Promise<void> {
    const { method = 'GET', headers, socket } = request
    request.resume()
    if (!this.#options.keepAlive) response.shouldKeepAlive = false
    if (this.#options.cors?.handle(request, response)) return
    if (method !== 'GET' && method !== 'HEAD' && !this.#options.anyMethod) {
      this.#send(response, text(405, 'only GET and HEAD are answered here\n', { allow: 'GET, HEAD' }))
      return
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const at = (request.url ?? '/').indexOf('?')
    const url = request.url ?? '/'
    const path = at < 0 ? url : url.slice(0, at)
    const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
    let page: Page
    try {
      page = await answer({ method, path, query, headers, peer: socket, gone: gone.signal })
    } catch (error) {
      page = text(500, `this failed: ${error instanceof Error ? error.message : String(error)}\n`)
    }
    this.#send(response, page)
  }

  #send(response: http.ServerResponse, { status, type, body, headers }: Page): void {
    const whole = typeof body === 'string' || body instanceof Uint8Array
    const length = whole ? { 'content-length': Buffer.byteLength(body) } : {}
    response.writeHead(status, { ...headers, 'content-type': type, ...length, ...this.#options.headers })
    if (whole) {
      response.end(body)
      return
    }
    // A client that leaves early ends the stream, and a stream that breaks ends the answer.
    body.once('error', () => response.destroy())
    response.once('close', () => (body as { destroy?(): void }).destroy?.())
    body.pipe(response)
  }
}

/** As in Go, what is not said follows from the time that a request may take. Node wants whole milliseconds. */
function timeoutsOf({ readTimeoutMs, readHeaderTimeoutMs, idleTimeoutMs }: PageServerOptions): http.ServerOptions {
  const requestTimeout = Math.ceil(readTimeoutMs)
  // Node takes no longer one than for the whole request.
  const headersTimeout = Math.ceil(shorter(readHeaderTimeoutMs, readTimeoutMs))
  return {
    requestTimeout,
    headersTimeout,
    // Node looks for who is late this often.
    connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, Math.ceil(headersTimeout / 8))),
    keepAliveTimeout: Math.min(LONGEST_TIMER_MS, Math.ceil(idleTimeoutMs || readTimeoutMs)),
  }
}

/** Of two limits of which 0 is none. */
function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? a || b : Math.min(a, b)
}

/** A plain text answer. */
export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Page {
  return { status, type: 'text/plain; charset=utf-8', body, headers }
}
