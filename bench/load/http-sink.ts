/** An OTLP/HTTP server that takes whole requests. */
import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'
import type { BenchSignal } from '../payload/payload.ts'
import { Message } from './message.ts'
import type { Requests } from './requests.ts'

const SIGNALS: readonly BenchSignal[] = ['traces', 'logs', 'metrics']

export function httpSink(requests: Requests): Server {
  const server = createServer((request, response) => {
    const signal = SIGNALS.find((known) => request.url === HTTP_PATHS[known]) ?? 'traces'
    const message = new Message()
    const expected = Number(request.headers['content-length'] ?? 0)
    request.on('data', (chunk: Buffer) => message.append(chunk, 0, chunk.length, expected))
    request.on('error', () => {})
    request.on('close', () => message.release())
    request.on('end', () => {
      requests.take(
        signal,
        message.bytes,
        request.headers['content-encoding'],
        () => response.destroyed,
        () => {
          response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 })
          response.end()
        },
      )
      message.release()
    })
  })
  server.keepAliveTimeout = 60_000
  return server
}
