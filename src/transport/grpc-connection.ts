import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { connectionFailureText } from './connection-error.ts'
import type { GrpcTarget } from './dial-target.ts'
import type { ClientTls } from './tls.ts'

/** When a client asks whether its peer is still there. */
export interface ClientKeepalive {
  readonly everyMs: number
  readonly timeoutMs: number
  /** Also while no call is under way. */
  readonly withoutCalls: boolean
}

export interface ConnectionOptions {
  readonly target: GrpcTarget
  /** TLS where given; clear text otherwise. */
  readonly tls?: ClientTls
  readonly keepalive?: ClientKeepalive
  /** How long a peer may take to answer the ping that follows a call without answer; 5000 when absent. */
  readonly probeTimeoutMs?: number
}

const STREAM_WINDOW = 1 << 20
// A peer that does not answer the handshake: grpc-go's minimum connect time-out.
const CONNECT_TIMEOUT_MS = 20_000
const PROBE_TIMEOUT_MS = 5_000
// For the GOAWAY, once nobody waits for anything else.
const LAST_WRITE_MS = 250

/** One HTTP/2 connection and how it is: usable for new calls, leaving (GOAWAY), or gone. */
export class GrpcConnection {
  readonly session: http2.ClientHttp2Session
  /** Why it broke; undefined while it has not. */
  failure: NodeJS.ErrnoException | undefined
  /** The peer has spoken HTTP/2: a TCP connection alone may be to anything. */
  established = false
  /** Its socket is gone: nothing reads what was to be written any more. */
  ended = false
  /** Resolves when it is established or has ended; never rejects. */
  readonly ready: Promise<void>
  readonly #connectTimer: NodeJS.Timeout
  #socket: net.Socket | undefined
  #calls = 0
  #pingTimer: NodeJS.Timeout | undefined
  #probing = false
  readonly #probeTimeoutMs: number

  constructor(options: ConnectionOptions) {
    const { target } = options
    this.#probeTimeoutMs = options.probeTimeoutMs ?? PROBE_TIMEOUT_MS
    this.session = http2.connect(`${options.tls ? 'https' : 'http'}://${authorityOf(target)}`, {
      createConnection: () => {
        this.#socket = openSocket(options)
        return this.#socket
      },
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    this.#connectTimer = setTimeout(
      () => this.#break(connectionError('ETIMEDOUT', `no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    )
    this.#connectTimer.unref()
    this.ready = new Promise((resolve) => {
      this.session.once('remoteSettings', () => {
        clearTimeout(this.#connectTimer)
        this.established = true
        if (options.keepalive !== undefined) this.#keepAlive(options.keepalive)
        resolve()
      })
      this.session.once('close', () => {
        this.ended = true
        clearTimeout(this.#connectTimer)
        clearTimeout(this.#pingTimer)
        resolve()
      })
    })
    this.session.on('error', (error: NodeJS.ErrnoException) => {
      this.failure ??= error
    })
    this.session.on('goaway', (code: number, _last: number, data?: Uint8Array) => {
      if (code === http2.constants.NGHTTP2_NO_ERROR) return
      const reason = data === undefined || data.length === 0 ? '' : `: ${new TextDecoder().decode(data)}`
      this.failure ??= connectionError('ECONNRESET', `the peer sent GOAWAY with HTTP/2 error ${code}${reason}`)
    })
  }

  /** New calls may go here. */
  get usable(): boolean {
    return !this.session.closed && !this.session.destroyed
  }

  callBegins(): void {
    this.#calls++
  }

  callEnds(): void {
    this.#calls--
  }

  /**
   * A call ran out of time: was it slow, or does nobody answer any more? A ping tells, and breaks a dead connection, which TCP
   * alone would keep for a quarter of an hour.
   */
  probe(): void {
    if (this.#probing || !this.established || !this.usable) return
    this.#probing = true
    this.#ping(this.#probeTimeoutMs, () => {
      this.#probing = false
    })
  }

  #keepAlive(keepalive: ClientKeepalive): void {
    const again = (): void => {
      this.#pingTimer = setTimeout(() => {
        if (!this.usable) return
        if (this.#calls === 0 && !keepalive.withoutCalls) again()
        else this.#ping(keepalive.timeoutMs, again)
      }, keepalive.everyMs)
      this.#pingTimer.unref()
    }
    again()
  }

  #ping(timeoutMs: number, answered: () => void): void {
    const overdue = setTimeout(
      () => this.#break(connectionError('ETIMEDOUT', `no answer to a ping within ${timeoutMs / 1000} s`)),
      timeoutMs,
    )
    overdue.unref()
    this.session.ping((error) => {
      clearTimeout(overdue)
      if (error === null) answered()
    })
  }

  /** Why it has ended or never came to be, for people. */
  get failureText(): string {
    if (this.failure !== undefined) return connectionFailureText(this.failure)
    return this.established
      ? 'the peer closed it'
      : 'the peer closed the connection before it spoke HTTP/2; is this its gRPC port, and does it expect TLS?'
  }

  #break(error: NodeJS.ErrnoException): void {
    this.failure ??= error
    this.destroy(error)
  }

  /** Ends it at once. Node first finishes the write that is under way, which a peer that reads nothing would delay for ever. */
  destroy(error?: Error): void {
    const cut = setTimeout(() => this.#socket?.destroy(), LAST_WRITE_MS)
    this.session.once('close', () => clearTimeout(cut))
    this.session.destroy(error)
  }
}

function openSocket({ target, tls: secure }: ConnectionOptions): net.Socket {
  if (secure === undefined) return net.connect({ ...target.address, noDelay: true })
  const socket = tls.connect({ ...target.address, ...secure, ALPNProtocols: ['h2'] })
  socket.setNoDelay(true)
  socket.once('secureConnect', () => {
    if (socket.alpnProtocol === 'h2') return
    socket.destroy(connectionError('EPROTO', 'the server does not offer HTTP/2 by ALPN; is this its gRPC port?'))
  })
  return socket
}

function authorityOf(target: GrpcTarget): string {
  return 'path' in target.address ? 'localhost' : target.shown
}

function connectionError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}
