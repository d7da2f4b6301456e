import * as grpc from '@grpc/grpc-js'
import type { Signal } from '../../../src/otlp/batch.ts'
import { GRPC_PATHS } from '../../../src/transport/otlp-services.ts'
import { rawService } from '../../support/raw-service.ts'

/** Bytes in, bytes out: grpc-js without messages. */
const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes)

/** What grpc-js's client saw of one call. */
export interface Seen {
  readonly response?: Buffer
  readonly error?: grpc.ServiceError
}

export interface JsClient {
  call(
    body: Uint8Array,
    options?: { path?: string; timeoutMs?: number; metadata?: Record<string, string>; cancelAfterMs?: number },
  ): Promise<Seen>
  close(): void
}

/** A grpc-js client of `address`. `gzip` compresses every request. */
export function jsClient(
  address: string,
  options: { gzip?: boolean; credentials?: grpc.ChannelCredentials; channel?: grpc.ChannelOptions } = {},
): JsClient {
  const client = new grpc.Client(address, options.credentials ?? grpc.credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    ...(options.gzip && { 'grpc.default_compression_algorithm': 2 }),
    ...options.channel,
  })
  return {
    call(body, { path = GRPC_PATHS.traces, timeoutMs = 10_000, metadata = {}, cancelAfterMs } = {}) {
      return new Promise((resolve) => {
        const headers = new grpc.Metadata()
        for (const [name, value] of Object.entries(metadata)) headers.set(name, value)
        const call = client.makeUnaryRequest(
          path,
          identity,
          (bytes) => bytes,
          Buffer.from(body),
          headers,
          { deadline: Date.now() + timeoutMs },
          (error, response) => resolve({ ...(error && { error }), ...(response && { response }) }),
        )
        if (cancelAfterMs !== undefined) setTimeout(() => call.cancel(), cancelAfterMs)
      })
    },
    close: () => client.close(),
  }
}

export interface JsServer {
  readonly port: number
  /** Bodies that arrived, in order. */
  readonly received: { signal: Signal; body: Buffer; metadata: grpc.Metadata }[]
  /** Ends without waiting. */
  kill(): void
  /** GOAWAY, then waits for calls. */
  shutdown(): Promise<void>
}

type Answer = (body: Buffer, reply: grpc.sendUnaryData<Buffer>) => void

/** A grpc-js server of the three stable OTLP services; `answer` defaults to plain success. */
export async function jsServer(
  answer: Answer = (_body, reply) => reply(null, Buffer.alloc(0)),
  options: { port?: number; credentials?: grpc.ServerCredentials } = {},
): Promise<JsServer> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 })
  const received: JsServer['received'] = []
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    server.addService(rawService(GRPC_PATHS[signal]), {
      Export(call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) {
        received.push({ signal, body: call.request, metadata: call.metadata })
        answer(call.request, reply)
      },
    })
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${options.port ?? 0}`,
      options.credentials ?? grpc.ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    )
  })
  return {
    port,
    received,
    kill: () => server.forceShutdown(),
    shutdown: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  }
}
