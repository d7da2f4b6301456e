import * as http2 from 'node:http2'
import type * as net from 'node:net'
import type * as tls from 'node:tls'
import type { Signal } from '../otlp/batch.ts'
import { Admission } from './admission.ts'
import { bind } from './bind.ts'
import { ConnectionSpreader } from './connection-spreader.ts'
import { Farewells, type Sessions } from './grpc-farewell.ts'
import { GrpcServerCall } from './grpc-server-call.ts'
import { type ServerKeepalive, type Supervision, superviseSession } from './grpc-server-keepalive.ts'
import { type ListenAddress, peerOf } from './listen-address.ts'
import { type Complaint, oddToGrpc } from './misdirected.ts'
import { GRPC_PATHS, signalsByPath } from './otlp-services.ts'
import { Overdue } from './overdue.ts'
import { statusTrailers } from './rpc-status.ts'
import { NARROW_WINDOW, SessionWindow } from './session-window.ts'
import type { ServerTls } from './tls.ts'
import { GRPC, type Server, type ServerHandler } from './unary.ts'

export interface GrpcServerOptions {
  readonly address: ListenAddress
  /** Named in errors: `receiver otlp, protocols.grpc.endpoint`. */
  readonly configuredBy: string
  /** The services that are there; a call to another is UNIMPLEMENTED. */
  readonly signals: readonly Signal[]
  /** Limit of a message, before and after decompression. */
  readonly maxMessageBytes: number
  /** What connections and messages are booked to; without it nothing is too much. */
  readonly admission?: Admission
  /** Calls that one connection may have under way. */
  readonly maxConcurrentStreams?: number
  /** TLS where given; clear text otherwise. */
  readonly tls?: ServerTls
  readonly keepalive?: ServerKeepalive
  /** Milliseconds that a call's message may take to arrive; absent or 0 is no limit. */
  readonly readTimeoutMs?: number
  /** Hears of connections that come to nothing. */
  readonly complain?: Complaint
}

// Node's default of 10 MB ends a connection with ENHANCE_YOUR_CALM at 32 × 512 KiB under way.
const MAX_SESSION_MEMORY_MB = 1024
// Clients reset what was refused before they had sent it all. nghttp2's own 1000, and 33 a second, end a connection whose client has a
// dozen calls refused at a time and comes again soon, together with the calls that were let in.
const RESETS_AT_ONCE = 10_000
const RESETS_PER_SECOND = 2000
// What a connection that is cut gets to send its last answers.
const LAST_WRITE_MS = 250
// grpc-go's is unlimited; clients queue what is above.
const DEFAULT_CONCURRENT_STREAMS = 1024

/** Serves OTLP/gRPC over node:http2 with prior knowledge (h2c) or TLS. Rejects with a `LISTEN_…` error. */
export async function serveGrpc(options: GrpcServerOptions, handler: ServerHandler): Promise<Server> {
  const settings: http2.ServerOptions = {
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    streamResetBurst: RESETS_AT_ONCE,
    streamResetRate: RESETS_PER_SECOND,
    settings: {
      initialWindowSize: NARROW_WINDOW,
      maxConcurrentStreams: options.maxConcurrentStreams ?? DEFAULT_CONCURRENT_STREAMS,
      enablePush: false,
    },
  }
  const server = options.tls
    ? http2.createSecureServer({ ...settings, ...options.tls.options, ALPNProtocols: ['h2'] })
    : http2.createServer(settings)
  const sessions = new Map<http2.ServerHttp2Session, Supervision | undefined>()
  const sockets = new Set<net.Socket>()
  let spreader: ConnectionSpreader | undefined
  const paths = signalsByPath(GRPC_PATHS, options.signals)
  const services = new Set([...paths.keys()].map((path) => path.slice(1, path.lastIndexOf('/'))))
  const readTimeoutMs = options.readTimeoutMs ?? 0
  const arriving =
    readTimeoutMs > 0 ? new Overdue<GrpcServerCall>(readTimeoutMs, (call) => call.tooSlow(readTimeoutMs)) : undefined
  const admission = options.admission ?? Admission.unbounded()
  let closing = false
  const complain = (peer: string, text: string | undefined): void => {
    if (text !== undefined) options.complain?.(peer, text)
  }

  server.on('session', (session) => {
    const window = new SessionWindow(session, admission)
    const peer = peerOf(session.socket)
    const supervision = options.keepalive && superviseSession(session, options.keepalive)
    sessions.set(session, supervision)
    spreader?.opened()
    // A peer that breaks off or misbehaves ends its own connection; without a listener it would end the process.
    session.on('error', (error) => complain(peer, oddToGrpc(error)))
    session.on('close', () => {
      sessions.delete(session)
      window.end()
      supervision?.stop()
    })
    session.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on('error', ignore)
      // Reset in the packet that opened it.
      if (stream.destroyed || stream.closed) return
      supervision?.streamOpened(stream)
      if (!isGrpc(stream, headers)) return
      const path = headers[':path'] ?? ''
      const signal = paths.get(path)
      if (signal === undefined) {
        refuseUnknown(stream, path, services)
        return
      }
      window.used()
      GrpcServerCall.accept(
        stream,
        headers,
        signal,
        peer,
        options.maxMessageBytes,
        admission,
        window,
        handler,
        arriving,
      )
    })
    if (closing) session.close()
  })
  server.on('connection', (socket: net.Socket) => {
    if (!admission.openConnection('http2')) {
      // No answer is due before there is a request; a client whose connection is reset comes again.
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => {
      admission.closeConnection('http2')
      sockets.delete(socket)
    })
  })
  server.on('sessionError', ignore)
  server.on('tlsClientError', ignore)
  if (options.tls) options.tls.attach(server as tls.Server)

  const binding = await bind(server, options.address, options.configuredBy)
  const farewells = new Farewells(sessions)
  spreader = binding.share && new ConnectionSpreader(binding.share, (count) => farewells.part(count))

  return {
    address: binding.address,
    async close(signal) {
      closing = true
      spreader?.stop()
      const closed = binding.close()
      for (const session of sessions.keys()) session.close()
      await drained(sessions, signal)
      for (const session of sessions.keys()) session.destroy()
      // Node ends a connection after its pending write, which a client that reads nothing never lets finish.
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, LAST_WRITE_MS)
      await closed
      arriving?.stop()
      clearTimeout(cut)
    },
  }
}

function ignore(): void {}

/** Answers what is no gRPC call at all in HTTP's terms (gRPC over HTTP/2, "Requests"). */
function isGrpc(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): boolean {
  const type = headers['content-type']
  const method = headers[':method']
  if (method === 'POST' && type !== undefined && GRPC_TYPE.test(type)) return true
  // Worded as grpc-go words them, which says it in gRPC's terms as well.
  const [httpStatus, code, message] =
    method === 'POST'
      ? [415, GRPC.INVALID_ARGUMENT, `invalid gRPC request content-type "${type ?? ''}"`]
      : [405, GRPC.INTERNAL, `Received a HEADERS frame with :method "${method ?? ''}" which should be POST`]
  stream.respond(
    { ':status': httpStatus, 'content-type': 'application/grpc', ...statusTrailers({ code, message }) },
    { endStream: true },
  )
  stream.close(http2.constants.NGHTTP2_NO_ERROR)
  return false
}

const GRPC_TYPE = /^application\/grpc(?:$|[+;])/

function refuseUnknown(stream: http2.ServerHttp2Stream, path: string, services: ReadonlySet<string>): void {
  // Worded as grpc-go words them.
  const slash = path.lastIndexOf('/')
  const service = path.slice(1, Math.max(slash, 1))
  const message =
    slash < 1
      ? `malformed method name: "${path}"`
      : services.has(service)
        ? `unknown method ${path.slice(slash + 1)} for service ${service}`
        : `unknown service ${service}`
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      ...statusTrailers({ code: GRPC.UNIMPLEMENTED, message }),
    },
    { endStream: true },
  )
  stream.close(http2.constants.NGHTTP2_NO_ERROR)
}

/** Resolves when every session has closed or the signal aborts, whichever comes first. */
function drained(sessions: Sessions, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (sessions.size === 0 || signal.aborted) return resolve()
    const done = (): void => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    let open = sessions.size
    for (const session of sessions.keys()) {
      session.once('close', () => {
        if (--open === 0) done()
      })
    }
  })
}
