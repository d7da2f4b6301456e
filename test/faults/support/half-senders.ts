import * as http2 from 'node:http2'
import * as net from 'node:net'
import { messagePrefix } from '../../../src/transport/grpc-message.ts'
import { GRPC_PATHS } from '../../../src/transport/otlp-services.ts'
import { readTrailers } from '../../../src/transport/rpc-status.ts'

/** How a client that sends half of a message was answered. */
export interface HalfAnswer {
  /** gRPC's status, or HTTP's; 0 where the connection ended without one. */
  readonly status: number
  readonly retryAfterMs: number | undefined
}

export interface HalfSender {
  /** Undefined until the answer has come. */
  readonly answer: () => HalfAnswer | undefined
  close(): void
}

/** Announces `length` bytes on a connection of its own, sends half of them and waits. */
export function halfGrpc(address: string, length: number): HalfSender {
  const session = http2.connect(`http://${address}`)
  session.on('error', () => {})
  const stream = session.request({
    ':method': 'POST',
    ':path': GRPC_PATHS.traces,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  let answer: HalfAnswer | undefined
  stream.on('error', () => {})
  stream.on('response', (headers) => {
    const { code, retryAfterMs } = readTrailers(headers) ?? { code: 0 }
    answer ??= { status: code, retryAfterMs }
  })
  stream.resume()
  stream.write(messagePrefix(length, false))
  stream.write(half(length))
  return { answer: () => answer, close: () => session.destroy() }
}

/** The same over HTTP/1.1. */
export function halfHttp(address: string, length: number): HalfSender {
  const socket = net.connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1')
  let seen = ''
  let answer: HalfAnswer | undefined
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    seen += chunk.toString('latin1')
    const status = /^HTTP\/1\.1 (\d+) /.exec(seen)
    if (status === null || !seen.includes('\r\n\r\n')) return
    const retryAfter = /^retry-after: (\d+)\r$/im.exec(seen)
    answer ??= {
      status: Number(status[1]),
      retryAfterMs: retryAfter === null ? undefined : Number(retryAfter[1]) * 1000,
    }
  })
  socket.write(
    `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n\r\n`,
  )
  // As clients do that read while they send: an answer ends it.
  const bytes = half(length)
  let at = 0
  const more = (): void => {
    while (at < bytes.length && answer === undefined && !socket.destroyed) {
      at += CHUNK
      if (!socket.write(bytes.subarray(at - CHUNK, at))) return
    }
  }
  socket.on('drain', more)
  more()
  return { answer: () => answer, close: () => socket.destroy() }
}

const CHUNK = 65_536

let zeros = new Uint8Array(0)

function half(length: number): Uint8Array {
  if (zeros.length < length / 2) zeros = new Uint8Array(length / 2)
  return zeros.subarray(0, length / 2)
}
