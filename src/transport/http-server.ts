import * as http from 'node:http'
import * as https from 'node:https'
import type * as net from 'node:net'
import type * as tls from 'node:tls'
import type { Signal } from '../otlp/batch.ts'
import { Admission } from './admission.ts'
import { type AnswerFormat, JSON_ANSWERS, PROTOBUF_ANSWERS } from './answer-format.ts'
import { bind } from './bind.ts'
import type { Encoding } from './compression.ts'
import { ConnectionSpreader } from './connection-spreader.ts'
import { Cors, type CorsOptions } from './cors.ts'
import { respond } from './http-respond.ts'
import { HttpServerCall } from './http-server-call.ts'
import { endBrokenConnection, SlowCalls } from './http-server-patience.ts'
import { type ListenAddress, peerOf } from './listen-address.ts'
import { type Complaint, oddToHttp } from './misdirected.ts'
import type { ServerTls } from './tls.ts'
import { GRPC, type Server, type ServerHandler } from './unary.ts'

export interface HttpServerOptions {
  readonly address: ListenAddress
  /** Named in errors: `receiver otlp, protocols.http.endpoint`. */
  readonly configuredBy: string
  /** Request path of every signal that is served; another path is 404. */
  readonly paths: ReadonlyMap<string, Signal>
  /** Limit of a body, before and after decompression. */
  readonly maxBodyBytes: number
  /** What connections and bodies are booked to; without it nothing is too much. */
  readonly admission?: Admission
  /** The `Content-Encoding`s that are taken; '' is none. */
  readonly encodings: ReadonlySet<Encoding | ''>
  /** TLS where given; clear text otherwise. */
  readonly tls?: ServerTls
  /** Milliseconds; 0 is no limit. For a request's body to come, once its headers are there … */
  readonly readTimeoutMs: number
  /** … for its headers; 0 means what `readTimeoutMs` says … */
  readonly readHeaderTimeoutMs: number
  /** … from its headers to the end of its answer … */
  readonly writeTimeoutMs: number
  /** … and between two. */
  readonly idleTimeoutMs: number
  /** Off: one request a connection. */
  readonly keepAlives: boolean
  /** Set on every response. */
  readonly responseHeaders: Readonly<Record<string, string>>
  /** What pages of other origins may do; without it, nothing. */
  readonly cors?: CorsOptions
  /** Hears of connections that come to nothing. */
  readonly complain?: Complaint
}

/** Serves OTLP/HTTP, bodies in protobuf or JSON, over HTTP/1.1. Rejects with a `LISTEN_…` error. */
export async function serveHttp(options: HttpServerOptions, handler: ServerHandler): Promise<Server> {
  const admission = options.admission ?? Admission.unbounded()
  let closing = false
  const underWay = new Set<http.ServerResponse>()
  const responseHeaders = Object.entries(options.responseHeaders)
  const cors = options.cors && new Cors(options.cors)
  const slow = new SlowCalls(options)
  /** So many of the next requests are the last on their connections: their clients are to come anew. */
  let parting = 0
  let spreader: ConnectionSpreader | undefined
  const shared = { maxBodyBytes: options.maxBodyBytes, admission, handler, slow }

  const complain = (socket: net.Socket, text: string | undefined): void => {
    if (text !== undefined) options.complain?.(peerOf(socket), text)
  }

  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    request.on('error', ignore)
    response.on('error', ignore)
    underWay.add(response)
    response.on('close', () => underWay.delete(response))
    for (const [name, value] of responseHeaders) response.setHeader(name, value)
    if (closing || !options.keepAlives || parting > 0) {
      response.shouldKeepAlive = false
      parting = Math.max(0, parting - 1)
    }
    if (cors?.handle(request, response)) return
    const url = request.url ?? ''
    const query = url.indexOf('?')
    const signal = options.paths.get(query < 0 ? url : url.slice(0, query))
    if (signal === undefined) {
      respond(request, response, 404, 'text/plain; charset=utf-8', '404 page not found\n')
      return
    }
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST')
      respond(request, response, 405, 'text/plain', '405 method not allowed, supported: [POST]')
      return
    }
    const type = mediaType(request.headers['content-type'])
    const format = FORMATS.find((each) => each.type === type)
    if (format === undefined) {
      const seen = type === '' ? 'no Content-Type' : type
      respond(
        request,
        response,
        415,
        'text/plain',
        `415 unsupported media type, supported: [${FORMATS.map((each) => each.type).join(', ')}]; got ${seen}`,
      )
      return
    }
    const named = (request.headers['content-encoding'] ?? '').toLowerCase()
    const encoding = named === '' || named === 'identity' ? undefined : (named as Encoding)
    if (!options.encodings.has(encoding ?? '')) {
      const taken = [...options.encodings].map((name) => name || 'identity').join(', ')
      const message = `unsupported Content-Encoding: ${named || 'identity'}; supported: [${taken}]`
      respond(request, response, 400, format.type, format.status({ code: GRPC.INVALID_ARGUMENT, message }))
      return
    }
    const peer = peerOf(request.socket)
    HttpServerCall.accept(request, response, signal, peer, shared, encoding, format)
  }

  // Node wants whole milliseconds.
  const headersTimeout = Math.ceil(slow.headersMs)
  const timeouts: http.ServerOptions = {
    requestTimeout: 0,
    headersTimeout,
    connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, Math.ceil(headersTimeout / 8))),
    // As in Go, what is not said follows from the time a request may take.
    keepAliveTimeout: Math.ceil(options.idleTimeoutMs || options.readTimeoutMs),
    noDelay: true,
  }
  const server = options.tls
    ? https.createServer({ ...timeouts, ...options.tls.options, ALPNProtocols: ['http/1.1'] }, listener)
    : http.createServer(timeouts, listener)
  server.on('tlsClientError', ignore)
  if (options.tls) options.tls.attach(server as tls.Server)
  server.on('connection', (socket: net.Socket) => {
    // No answer is due before there is a request; a client whose connection is reset comes again.
    if (!admission.openConnection('http1')) {
      socket.destroy()
      return
    }
    spreader?.opened()
    socket.once('close', () => admission.closeConnection('http1'))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    complain(socket as net.Socket, oddToHttp(error))
    endBrokenConnection(error, socket)
  })
  // `Expect: 100-continue` is answered once the body is wanted, which the headers may forbid.
  server.on('checkContinue', listener)

  const binding = await bind(server, options.address, options.configuredBy)
  // An idle connection is no load, and closing it might cross a request.
  const part = (count: number): void => {
    parting = count
  }
  spreader = binding.share && new ConnectionSpreader(binding.share, part)

  return {
    address: binding.address,
    async close(signal) {
      closing = true
      spreader?.stop()
      const cut = (): void => server.closeAllConnections()
      const closed = binding.close()
      // Their clients would keep the connections, and with them this server, open for idle_timeout.
      for (const response of underWay) response.shouldKeepAlive = false
      server.closeIdleConnections()
      if (signal.aborted) cut()
      else signal.addEventListener('abort', cut, { once: true })
      await closed
      slow.stop()
      signal.removeEventListener('abort', cut)
    },
  }
}

/** What is read, and answered in kind. */
const FORMATS: readonly AnswerFormat[] = [JSON_ANSWERS, PROTOBUF_ANSWERS]

// How often Node looks for headers that are late.
const SHORTEST_CHECK_MS = 10
const LONGEST_CHECK_MS = 5000

function ignore(): void {}

function mediaType(header: string | undefined): string {
  if (header === undefined) return ''
  const end = header.indexOf(';')
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase()
}
