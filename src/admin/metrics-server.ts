import { createServer, type Server } from 'node:http'
import { EXPOSITION_TYPE, exposition } from '../telemetry/exposition.ts'
import { heldReadings, ledgerRows } from '../telemetry/ledger.ts'
import type { MeterRegistry } from '../telemetry/registry.ts'
import { type Binding, bind } from '../transport/bind.ts'
import type { ListenAddress } from '../transport/listen-address.ts'

/** Serves `GET /metrics` from the supervisor's thread, so that a scrape never waits for a lane. */
export class MetricsServer {
  readonly #server: Server
  readonly #address: ListenAddress
  #binding: Binding | undefined

  constructor(registry: MeterRegistry, address: ListenAddress) {
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
      const readings = registry.read()
      const held = heldReadings(ledgerRows(readings))
      response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(exposition([...readings, ...held]))
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
