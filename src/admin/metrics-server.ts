import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SluiceError } from '../errors.ts'
import { EXPOSITION_TYPE, exposition } from '../telemetry/exposition.ts'
import { heldReadings, ledgerRows } from '../telemetry/ledger.ts'
import type { MeterRegistry } from '../telemetry/registry.ts'

/** Serves `GET /metrics` from the supervisor's thread, so that a scrape never waits for a lane. */
export class MetricsServer {
  readonly #server: Server
  readonly #host: string
  readonly #port: number

  constructor(registry: MeterRegistry, { host, port }: { readonly host: string; readonly port: number }) {
    this.#host = host
    this.#port = port
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
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen(this.#port, this.#host, resolve)
    try {
      await promise
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, `${this.#host}:${this.#port}`)
    }
    const { address, port, family } = this.#server.address() as AddressInfo
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

function listenError(error: NodeJS.ErrnoException, address: string): SluiceError {
  const where = 'service.telemetry.metrics.readers'
  if (error.code === 'EADDRINUSE') {
    return new SluiceError(
      'LISTEN_ADDRESS_IN_USE',
      `${where}: ${address} is taken by another program; choose another port there, or set service.telemetry.metrics.level to none`,
      { cause: error },
    )
  }
  return new SluiceError('LISTEN_FAILED', `${where}: cannot listen on ${address}: ${error.message}`, { cause: error })
}
