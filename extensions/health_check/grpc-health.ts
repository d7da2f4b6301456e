import * as http2 from 'node:http2'
import type { Authorise } from '../../src/component/authorise.ts'
import { Alarm } from '../../src/transport/alarm.ts'
import { type Binding, bind } from '../../src/transport/bind.ts'
import { messagePrefix, PREFIX_LENGTH } from '../../src/transport/grpc-message.ts'
import { type ServerKeepalive, superviseSession } from '../../src/transport/grpc-server-keepalive.ts'
import { formatHostPort, type ListenAddress } from '../../src/transport/listen-address.ts'
import { bytesField, varintField, visitFields } from '../../src/transport/protobuf-fields.ts'
import { statusTrailers } from '../../src/transport/rpc-status.ts'
import type { ServerTls } from '../../src/transport/tls.ts'
import { type CallStatus, GRPC, type RequestHead } from '../../src/transport/unary.ts'

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
export const SERVING = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const

/** A request holds the name of a service. */
const LARGEST_REQUEST = 4096
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' }

export interface GrpcHealthOptions {
  readonly address: ListenAddress
  readonly configuredBy: string
  readonly tls?: ServerTls
  readonly maxConcurrentStreams?: number
  readonly keepalive: ServerKeepalive
  /** A status turns the call away. */
  readonly authorise?: Authorise
  /** The status of a service; `''` is the whole. Undefined where there is no such service. */
  status(service: string): number | undefined
  /** What is known of all services, by name. */
  list(): Readonly<Record<string, number>>
}

/** `grpc.health.v1.Health`: Check, List and Watch (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
export class GrpcHealth {
  readonly #options: GrpcHealthOptions
  readonly #server: http2.Http2Server | http2.Http2SecureServer
  readonly #sessions = new Set<http2.ServerHttp2Session>()
  /** Open watches, each with what was told last. */
  readonly #watches = new Map<http2.ServerHttp2Stream, { readonly service: string; told: number }>()
  #binding: Binding | undefined

  constructor(options: GrpcHealthOptions) {
    this.#options = options
    const settings = {
      settings: {
        enablePush: false,
        ...(options.maxConcurrentStreams && { maxConcurrentStreams: options.maxConcurrentStreams }),
      },
    }
    if (options.tls === undefined) {
      this.#server = http2.createServer(settings)
    } else {
      const server = http2.createSecureServer({ ...settings, ...options.tls.options, ALPNProtocols: ['h2'] })
      options.tls.attach(server)
      this.#server = server
    }
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('error', ignore)
      const supervision = superviseSession(session, options.keepalive)
      session.on('stream', (stream) => supervision.streamOpened(stream))
      session.on('close', () => {
        this.#sessions.delete(session)
        supervision.stop()
      })
    })
    this.#server.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on('error', ignore)
      if (!stream.destroyed) this.#read(stream, headers)
    })
    this.#server.on('sessionError', ignore)
    this.#server.on('tlsClientError', ignore)
  }

  /** Resolves with the address it listens at. */
  async start(): Promise<string> {
    this.#binding = await bind(this.#server, this.#options.address, this.#options.configuredBy)
    return this.#binding.address
  }

  /** Tells watchers what has changed. */
  changed(): void {
    for (const [stream, watch] of this.#watches) {
      const status = this.#options.status(watch.service) ?? SERVING.SERVICE_UNKNOWN
      if (status === watch.told) continue
      watch.told = status
      write(stream, varintField(1, status))
    }
  }

  /** Ends watches with UNAVAILABLE and every connection. Safe twice and unstarted. */
  async stop(): Promise<void> {
    const binding = this.#binding
    this.#binding = undefined
    if (binding === undefined) return
    const closed = binding.close()
    for (const stream of this.#watches.keys()) {
      finish(stream, { code: GRPC.UNAVAILABLE, message: 'this process stops' })
    }
    for (const session of this.#sessions) {
      session.close()
      // A client that keeps its connection open would keep the stop waiting.
      new Alarm(LAST_WRITE_MS, () => session.destroy())
    }
    await closed
  }

  #read(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const chunks: Buffer[] = []
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= LARGEST_REQUEST) chunks.push(chunk)
    })
    stream.on('end', () => {
      if (stream.destroyed || stream.closed) return
      const body = length <= LARGEST_REQUEST ? Buffer.concat(chunks) : undefined
      void this.#admit(stream, headers).then((refusal) => {
        if (stream.destroyed || stream.closed) return
        if (refusal === undefined) this.#call(stream, headers[':path'] ?? '', body)
        else fail(stream, refusal)
      })
    })
  }

  async #admit(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<CallStatus | undefined> {
    try {
      return await this.#options.authorise?.(headOf(stream, headers))
    } catch {
      // Who cannot be asked may be there later.
      return { code: GRPC.UNAVAILABLE, message: 'the authenticator failed' }
    }
  }

  #call(stream: http2.ServerHttp2Stream, path: string, body: Buffer | undefined): void {
    const method = /^\/grpc\.health\.v1\.Health\/(Check|List|Watch)$/.exec(path)?.[1]
    if (method === undefined) {
      fail(stream, { code: GRPC.UNIMPLEMENTED, message: `there is no ${path}; this is grpc.health.v1.Health` })
      return
    }
    const service = body && serviceOf(body)
    if (service === undefined) {
      fail(stream, { code: GRPC.INVALID_ARGUMENT, message: 'expected one uncompressed HealthCheckRequest' })
    } else {
      this.#answer(stream, method, service)
    }
  }

  #answer(stream: http2.ServerHttp2Stream, method: string, service: string): void {
    const known = this.#options.status(service)
    if (method === 'Watch') {
      // Trailers follow when the watch ends.
      stream.respond(HEADERS, { waitForTrailers: true })
      const told = known ?? SERVING.SERVICE_UNKNOWN
      this.#watches.set(stream, { service, told })
      stream.once('close', () => this.#watches.delete(stream))
      write(stream, varintField(1, told))
    } else if (method === 'List') {
      const entries = Object.entries(this.#options.list()).flatMap(([name, serving]) => {
        const entry = [...bytesField(1, Buffer.from(name)), ...bytesField(2, varintField(1, serving))]
        return bytesField(1, entry)
      })
      respond(stream, entries)
    } else if (known === undefined) {
      fail(stream, { code: GRPC.NOT_FOUND, message: `there is no service ${JSON.stringify(service)}` })
    } else {
      respond(stream, varintField(1, known))
    }
  }
}

/** What a connection gets to send its last answers. */
const LAST_WRITE_MS = 250

function ignore(): void {}

/** Who asks, for an authenticator. */
function headOf(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): RequestHead {
  const { remoteAddress, remotePort } = stream.session?.socket ?? {}
  const values = (name: string): readonly string[] => {
    const value = headers[name]
    return value === undefined ? [] : Array.isArray(value) ? value : [value]
  }
  return {
    protocol: 'grpc',
    peer: remoteAddress === undefined ? 'unix' : formatHostPort(remoteAddress, remotePort ?? 0),
    auth: undefined,
    header: (name) => (headers[name] === undefined ? undefined : values(name).join(', ')),
    query: () => undefined,
    metadata: () =>
      Object.fromEntries(
        Object.keys(headers)
          .filter((name) => !name.startsWith(':'))
          .map((name) => [name, values(name)]),
      ),
  }
}

/** The name in a HealthCheckRequest; undefined where the bytes are none. */
function serviceOf(body: Buffer): string | undefined {
  if (body.length < PREFIX_LENGTH || body[0] !== 0) return undefined
  if (body.readUInt32BE(1) !== body.length - PREFIX_LENGTH) return undefined
  let service = ''
  const sound = visitFields(body.subarray(PREFIX_LENGTH), (field, value) => {
    if (field === 1 && typeof value !== 'number') service = Buffer.from(value).toString()
  })
  return sound ? service : undefined
}

function write(stream: http2.ServerHttp2Stream, message: readonly number[]): void {
  stream.write(Buffer.from([...messagePrefix(message.length, false), ...message]))
}

function respond(stream: http2.ServerHttp2Stream, message: readonly number[]): void {
  stream.respond(HEADERS, { waitForTrailers: true })
  write(stream, message)
  finish(stream, { code: GRPC.OK, message: '' })
}

function finish(stream: http2.ServerHttp2Stream, status: CallStatus): void {
  stream.once('wantTrailers', () => stream.sendTrailers(statusTrailers(status)))
  stream.end()
}

function fail(stream: http2.ServerHttp2Stream, status: CallStatus): void {
  stream.respond({ ...HEADERS, ...statusTrailers(status) }, { endStream: true })
}
