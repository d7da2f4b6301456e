import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { readProtobufjs } from '../otlp/support/oracles.ts'
import { exportPath, STABLE, type Stable } from './otlp-services.ts'
import { rawService } from './raw-service.ts'

/** A place where telemetry ends, by software that is not Sluice: @grpc/grpc-js and node:http, read by protobufjs. */
export interface Backend {
  /** `host:port` for gRPC. */
  readonly grpc: string
  /** Base URL for OTLP/HTTP. */
  readonly http: string
  readonly received: {
    readonly signal: Stable
    readonly by: 'grpc' | 'http'
    readonly request: PlainObject
    /** The caller's `traceparent`. */
    readonly traceparent: string | undefined
  }[]
  stop(): Promise<void>
}

/** `open`: gRPC calls are answered once it has resolved; asked for each, where it is a function. */
export async function startBackend(open: Promise<void> | (() => Promise<void>) = Promise.resolve()): Promise<Backend> {
  const received: Backend['received'] = []
  const take = (signal: Stable, by: 'grpc' | 'http', bytes: Uint8Array, traceparent: string | undefined): void => {
    received.push({ signal, by, request: readProtobufjs(signal, bytes), traceparent })
  }
  const grpc = await grpcServer(take, typeof open === 'function' ? open : () => open)
  const http = await httpServer(take)
  return {
    grpc: `127.0.0.1:${grpc.port}`,
    http: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    received,
    async stop() {
      grpc.server.forceShutdown()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

type Take = (signal: Stable, by: 'grpc' | 'http', bytes: Uint8Array, traceparent: string | undefined) => void

async function grpcServer(take: Take, open: () => Promise<void>): Promise<{ server: Server; port: number }> {
  const server = new Server()
  for (const signal of STABLE) {
    server.addService(rawService(exportPath(signal)), {
      Export: (call: { request: Buffer; metadata: Metadata }, done: (error: null, response: Buffer) => void) => {
        void open().then(() => {
          take(signal, 'grpc', call.request, call.metadata.get('traceparent')[0]?.toString())
          done(null, Buffer.alloc(0))
        })
      },
    })
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { server, port }
}

async function httpServer(take: Take): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const signal = STABLE.find((each) => request.url === `/v1/${each}`)
      if (signal === undefined) {
        response.writeHead(404).end()
        return
      }
      const body = Buffer.concat(chunks)
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
      take(signal, 'http', plain, request.headers['traceparent'] as string | undefined)
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
