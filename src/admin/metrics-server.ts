import { createServer, type Server } from 'node:http'
import { EXPOSITION_TYPE, EXPOSITION_TYPE_UTF8, type ExpositionOptions, exposition } from '../telemetry/exposition.ts'
import type { Reading } from '../telemetry/registry.ts'
import { type Binding, bind } from '../transport/bind.ts'
import type { ListenAddress } from '../transport/listen-address.ts'

/** Serves `GET /metrics` from the supervisor's thread, so that a scrape never waits for a lane. */
export class MetricsServer {
  readonly #server: Server
  readonly #address: ListenAddress
  #binding: Binding | undefined

  /** `read` gives the readings now, in the order of their names. */
  constructor(read: () => readonly Reading[], address: ListenAddress, options?: ExpositionOptions) {
    this.#address = address
    this.#server = createServer((request, response) => {
      if (request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n')
        return
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { 'content-type': 'text/plain', allow: 'GET, HEAD' }).end('use GET\n')
        return
      }
      const utf8 = options?.naming.utf8 === true && (request.headers.accept ?? '').includes('escaping=allow-utf-8')
      const type = utf8 ? EXPOSITION_TYPE_UTF8 : EXPOSITION_TYPE
      response.writeHead(200, { 'content-type': type }).end(exposition(read(), options, utf8))
    })
  }

  /** Resolves with the address it listens at. */
  async start(): Promise<string> {
    this.#binding = await bind(this.#server, this.#address, 'service.telemetry.metrics.readers')
    return this.#binding.address
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await this.#binding?.close()
  }
}
