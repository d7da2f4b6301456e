import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Component, ComponentContext, Deadline } from '../../src/component/contracts.ts'
import { formatDuration } from '../../src/config/duration.ts'
import { type Binding, bind } from '../../src/transport/bind.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'

/** A probe that takes longer to ask has given up. */
const REQUEST_MS = 5000
/** What Go writes for a time that was never set; probes that parse the document expect one. */
const NEVER = '0001-01-01T00:00:00Z'

export interface HealthSettings {
  readonly endpoint: string
  readonly path: string
  readonly response_body: { readonly healthy: string; readonly unhealthy: string } | undefined
  readonly response_headers: Readonly<Record<string, string>>
}

/**
 * Listens from the start and says 503 until everything has started, 200 from then on, and 503 again as soon as the stop
 * begins, so that load balancers turn away while receivers still take what is on its way.
 */
export class HealthServer implements Component {
  readonly #settings: HealthSettings
  readonly #ctx: ComponentContext
  readonly #server: Server
  #binding: Binding | undefined
  #upSince: number | undefined

  constructor(settings: HealthSettings, ctx: ComponentContext) {
    this.#settings = settings
    this.#ctx = ctx
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
      this.#answer(request, response),
    )
  }

  async start(): Promise<void> {
    const address = parseListenAddress(this.#settings.endpoint, 'tcp')
    if (typeof address === 'string') throw new Error(`extension ${this.#ctx.id}: endpoint: ${address}`)
    this.#binding = await bind(this.#server, address, `extension ${this.#ctx.id}: endpoint`)
    this.#ctx.listening({ transport: 'http', address: this.#binding.address })
  }

  ready(): void {
    this.#upSince = this.#ctx.clock.now()
  }

  stopping(): void {
    this.#upSince = undefined
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#upSince = undefined
    const binding = this.#binding
    this.#binding = undefined
    if (binding === undefined) return
    const closed = binding.close()
    this.#server.closeIdleConnections()
    const cut = (): void => this.#server.closeAllConnections()
    if (deadline.signal.aborted) cut()
    else deadline.signal.addEventListener('abort', cut, { once: true })
    await closed
    deadline.signal.removeEventListener('abort', cut)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { path, response_body: texts, response_headers: headers } = this.#settings
    const asked = request.url?.split('?', 1)[0]
    response.shouldKeepAlive = false
    if (path !== '/' && asked !== path) {
      response.writeHead(404, { ...headers, 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
      return
    }
    const upSince = this.#upSince
    const status = upSince === undefined ? 503 : 200
    if (texts !== undefined) {
      response
        .writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' })
        .end(upSince === undefined ? texts.unhealthy : texts.healthy)
      return
    }
    const body =
      upSince === undefined
        ? { status: 'Server not available', upSince: NEVER, uptime: '' }
        : {
            status: 'Server available',
            upSince: new Date(upSince).toISOString(),
            uptime: formatDuration(Math.max(0, this.#ctx.clock.now() - upSince)),
          }
    response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}
