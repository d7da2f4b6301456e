import * as http2 from 'node:http2'
import type * as net from 'node:net'
import { LONGEST_TIMER_MS } from '../clock.ts'
import { connectionError, connectionFailureText } from './connection-error.ts'
import { openSocket, type SocketOptions } from './grpc-socket.ts'

/** When a client asks whether its peer is still there. */
export interface ClientKeepalive {
  readonly everyMs: number
  readonly timeoutMs: number
  /** Also while no call is under way. */
  readonly withoutCalls: boolean
}

export interface ConnectionOptions extends SocketOptions {
  readonly keepalive?: ClientKeepalive
  /** How long a peer may take to answer the ping that follows a call without answer; 5000 when absent. */
  readonly probeTimeoutMs?: number
  /** What a connection may hold to be sent, in MB; 4096 when absent. */
  readonly sessionMemoryMb?: number
  /** Called when it can be used, and when it cannot be used any more, whatever the reason. */
  readonly changed?: () => void
}

const STREAM_WINDOW = 1 << 20
// A peer that does not answer the handshake: grpc-go's minimum connect time-out.
const CONNECT_TIMEOUT_MS = 20_000
const PROBE_TIMEOUT_MS = 5_000
// For the GOAWAY, once nobody waits for anything else.
const LAST_WRITE_MS = 250
// Node counts what is queued to be sent too, and turns new streams away above its 10 MB. The queue in front bounds that here.
const SESSION_MEMORY_MB = 4096

/** One HTTP/2 connection and how it is: on its way, usable for new calls, leaving (GOAWAY), or gone. */
export class GrpcConnection {
  /** Why it broke; undefined while it has not. */
  failure: NodeJS.ErrnoException | undefined
  /** The peer has spoken HTTP/2: a TCP connection alone may be to anything. */
  established = false
  /** Its socket is gone: nothing reads what was to be written any more. */
  ended = false
  /** The peer found that it is pinged too often. */
  tooManyPings = false
  readonly #options: ConnectionOptions
  readonly #connecting = new AbortController()
  readonly #connectTimer: NodeJS.Timeout
  #session: http2.ClientHttp2Session | undefined
  #socket: net.Socket | undefined
  #calls = 0
  #abandonedBytes = 0
  #pingTimer: NodeJS.Timeout | undefined
  #probing = false
  #leaving = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#connectTimer = setTimeout(
      () => this.#break(connectionError('ETIMEDOUT', `no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    )
    this.#connectTimer.unref()
    openSocket(options, this.#connecting.signal).then(
      (socket) => this.#speak(socket),
      (error: unknown) => {
        this.failure ??= error as NodeJS.ErrnoException
        this.#end()
      },
    )
  }

  /** Only of a connection that is or was usable. */
  get session(): http2.ClientHttp2Session {
    return this.#session!
  }

  /** New calls may go here. */
  get usable(): boolean {
    const session = this.#session
    return this.established && session !== undefined && !this.#leaving && !session.closed && !session.destroyed
  }

  #speak(socket: net.Socket): void {
    if (this.ended) {
      socket.destroy()
      return
    }
    this.#socket = socket
    // An alert after the handshake (TLS 1.3: the client's certificate is missing) leaves socket and session hanging else.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failure ??= error
      socket.destroy()
    })
    const session = http2.connect(`${this.#options.tls === undefined ? 'http' : 'https'}://localhost`, {
      createConnection: () => socket,
      maxSessionMemory: this.#options.sessionMemoryMb ?? SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    this.#session = session
    // Every call whose bytes may still be in the socket waits for its end.
    session.setMaxListeners(0)
    session.once('remoteSettings', () => {
      clearTimeout(this.#connectTimer)
      this.established = true
      if (this.#options.keepalive !== undefined) this.#keepAlive(this.#options.keepalive)
      this.#options.changed?.()
    })
    session.once('close', () => this.#end())
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.failure ??= error
    })
    session.on('goaway', (code: number, _last: number, data?: Uint8Array) => {
      this.#leaving = true
      if (code !== http2.constants.NGHTTP2_NO_ERROR) {
        const reason = data === undefined || data.length === 0 ? '' : `: ${new TextDecoder().decode(data)}`
        this.tooManyPings = code === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM && reason === ': too_many_pings'
        this.failure ??= connectionError('ECONNRESET', `the peer sent GOAWAY with HTTP/2 error ${code}${reason}`)
      }
      this.#options.changed?.()
    })
  }

  #end(): void {
    if (this.ended) return
    this.ended = true
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#pingTimer)
    this.#options.changed?.()
  }

  /**
   * A call ended with up to `bytes` of it unsent, as when the peer refuses a message in the middle. Node counts them against the session's
   * memory for ever (v24.21), and a session that is full by its count answers nothing any more: another one takes over long before.
   */
  abandoned(bytes: number): void {
    this.#abandonedBytes += bytes
    const limit = (this.#options.sessionMemoryMb ?? SESSION_MEMORY_MB) * 1e6
    if (this.#abandonedBytes < limit / 4 || !this.usable) return
    this.drain()
    this.#options.changed?.()
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
    if (this.#probing || !this.usable) return
    this.#probing = true
    this.#ping(this.#options.probeTimeoutMs ?? PROBE_TIMEOUT_MS, () => {
      this.#probing = false
    })
  }

  #keepAlive(keepalive: ClientKeepalive): void {
    const again = (): void => {
      this.#pingTimer = setTimeout(
        () => {
          if (!this.usable) return
          if (this.#calls === 0 && !keepalive.withoutCalls) again()
          else this.#ping(keepalive.timeoutMs, again)
        },
        Math.min(keepalive.everyMs, LONGEST_TIMER_MS),
      )
      this.#pingTimer.unref()
    }
    again()
  }

  #ping(timeoutMs: number, answered: () => void): void {
    const overdue = setTimeout(
      () => this.#break(connectionError('ETIMEDOUT', `no answer to a ping within ${timeoutMs / 1000} s`)),
      Math.min(timeoutMs, LONGEST_TIMER_MS),
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

  /** Takes no new calls and ends when those under way have. */
  drain(): void {
    if (!this.established) {
      this.destroy()
      return
    }
    this.#leaving = true
    this.session.close()
  }

  /** Ends it at once. Node first finishes the write that is under way, which a peer that reads nothing would delay for ever. */
  destroy(error?: Error): void {
    const session = this.#session
    if (session === undefined) {
      this.#connecting.abort(error ?? connectionError('ECONNRESET', 'the client is closed'))
      this.#end()
      return
    }
    if (session.destroyed) return
    const cut = setTimeout(() => this.#socket?.destroy(), LAST_WRITE_MS)
    session.once('close', () => clearTimeout(cut))
    session.destroy(error)
  }

  /** Resolves when its socket is gone. */
  whenEnded(): Promise<void> {
    const session = this.#session
    if (this.ended || session === undefined) return Promise.resolve()
    return new Promise((resolve) => session.once('close', () => resolve()))
  }
}
