/** A server that answers the first attempt of a request as its span's name asks for, and takes the second. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js'
import { exportPath } from '../../support/otlp-services.ts'
import { rawService } from '../../support/raw-service.ts'

export interface RefusingServer {
  readonly grpc: string
  readonly http: string
  /** Attempts by the name of the span. */
  readonly attempts: ReadonlyMap<string, number>
  /** Begins anew. */
  reset(): void
  stop(): Promise<void>
}

/** What a span is called that is to be answered so; `delay` is of RetryInfo or Retry-After, in seconds. */
export function askFor(status: number, delay: '' | '0' | '1' | 'date' | 'garbage'): string {
  return `answer=${status},${delay};`
}

function asked(body: Buffer): { readonly name: string; readonly status: number; readonly delay: string } {
  const [name, status, delay] = /answer=(\d+),(\w*);/.exec(body.toString('latin1')) ?? []
  return { name: name!, status: Number(status), delay: delay! }
}

export async function startRefusingServer(): Promise<RefusingServer> {
  const attempts = new Map<string, number>()
  const attempt = (name: string): number => {
    const number = (attempts.get(name) ?? 0) + 1
    attempts.set(name, number)
    return number
  }

  const grpc = new Server()
  grpc.addService(rawService(exportPath('traces')), {
    Export: (
      { request }: { request: Buffer },
      done: (error: Partial<ServiceError> | null, answer?: Buffer) => void,
    ) => {
      const { name, status, delay } = asked(request)
      if (attempt(name) > 1 || status === 0) return done(null, Buffer.alloc(0))
      const metadata = new Metadata()
      if (delay !== '') metadata.set('grpc-status-details-bin', details(status, Number(delay)))
      return done({ code: status, details: 'asked for', metadata })
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )

  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { name, status, delay } = asked(plain(request.headers, Buffer.concat(chunks)))
      const headers = { 'content-type': 'application/x-protobuf' }
      if (attempt(name) > 1) response.writeHead(200, headers).end()
      else if (status < 300 && delay === 'garbage') response.writeHead(status, headers).end('\xff\xff\xff')
      else response.writeHead(status, { ...headers, ...retryAfter(delay) }).end()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    grpc: `127.0.0.1:${port}`,
    http: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    attempts,
    reset: () => attempts.clear(),
    async stop() {
      grpc.forceShutdown()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function plain(headers: IncomingHttpHeaders, body: Buffer): Buffer {
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

function retryAfter(delay: string): Record<string, string> {
  if (delay === '') return {}
  return { 'retry-after': delay === 'date' ? new Date(Date.now() + 1000).toUTCString() : delay }
}

/** A `google.rpc.Status` with a RetryInfo of so many seconds. */
function details(code: number, seconds: number): Buffer {
  const field = (number: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value])
  const duration = seconds === 0 ? Buffer.alloc(0) : Buffer.from([0x08, seconds])
  const info = field(1, duration)
  const any = Buffer.concat([field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, info)])
  return Buffer.concat([Buffer.from([0x08, code]), field(2, Buffer.from('asked for')), field(3, any)])
}
