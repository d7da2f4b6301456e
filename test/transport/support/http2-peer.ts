import * as http2 from 'node:http2'
import type * as net from 'node:net'
import { messagePrefix } from '../../../src/transport/grpc-message.ts'

export interface Http2Peer {
  readonly port: number
  readonly sessions: http2.ServerHttp2Session[]
  /** Calls that came, answered or not. */
  calls: number
  close(): Promise<void>
}

/** An HTTP/2 server that does with every stream what `onStream` says; plain success if absent. */
export async function http2Peer(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void = answerOk,
  options: { port?: number; host?: string; settings?: http2.Settings } = {},
): Promise<Http2Peer> {
  const server = http2.createServer({ ...(options.settings && { settings: options.settings }) })
  const sessions: http2.ServerHttp2Session[] = []
  const peer: Http2Peer = {
    port: 0,
    sessions,
    calls: 0,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy()
        server.close(() => resolve())
      }),
  }
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    peer.calls++
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  return Object.assign(peer, { port: (server.address() as net.AddressInfo).port })
}

/** Reads the call and says OK with an empty message. */
export function answerOk(stream: http2.ServerHttp2Stream): void {
  stream.resume()
  stream.on('end', () => {
    if (stream.destroyed) return
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(messagePrefix(0, false))
  })
}
