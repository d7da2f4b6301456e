import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { Alarm } from './alarm.ts'
import { PingEnforcer, type PingPolicy } from './ping-enforcer.ts'

/** How long a connection lives, in milliseconds, as grpc-go's server parameters say it; absent: for ever, unasked. */
export interface ServerKeepalive {
  /** Without a call for this long: GOAWAY. */
  readonly maxConnectionIdleMs?: number
  /** After this long (give or take a tenth, so that clients do not return all at once): GOAWAY. */
  readonly maxConnectionAgeMs?: number
  /** What calls under way then get before the connection is cut. */
  readonly maxConnectionAgeGraceMs?: number
  /** After this long without a byte a ping asks whether the client is still there … */
  readonly pingEveryMs?: number
  /** … and no answer for this long ends the connection. */
  readonly pingTimeoutMs?: number
  /** How often a client may ask; without it, as often as it likes. */
  readonly pings?: PingPolicy
  /** How long a client may take to speak HTTP/2 at all. */
  readonly handshakeTimeoutMs?: number
}

const DEFAULT_PING_TIMEOUT_MS = 20_000
// grpc-go's ConnectionTimeout.
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 120_000
const TOO_MANY_PINGS = Buffer.from('too_many_pings')

export interface Supervision {
  /** Calls under way. */
  readonly open: number
  streamOpened(stream: ServerHttp2Stream): void
  stop(): void
}

/** `ms` give or take a tenth: `chance` is from 0 to 1. */
export function jittered(ms: number, chance: number): number {
  return ms * (0.9 + chance * 0.2)
}

/** Ends a connection that is mute, idle, old, dead or a nuisance. */
export function superviseSession(session: ServerHttp2Session, keepalive: ServerKeepalive): Supervision {
  return new SupervisedSession(session, keepalive)
}

class SupervisedSession implements Supervision {
  readonly #session: ServerHttp2Session
  readonly #keepalive: ServerKeepalive
  readonly #enforcer: PingEnforcer | undefined
  readonly #alarms = new Set<Alarm>()
  readonly #streamClosed: (this: ServerHttp2Stream) => void
  #idleTimer: Alarm | undefined
  open = 0
  /** Bytes read when the timer of the next ping was set. */
  #bytesSeen = 0

  constructor(session: ServerHttp2Session, keepalive: ServerKeepalive) {
    this.#session = session
    this.#keepalive = keepalive
    this.#enforcer = keepalive.pings && new PingEnforcer(keepalive.pings)
    // One function for all streams of the connection.
    const closed = (answered: boolean): void => this.#closed(answered)
    this.#streamClosed = function onClose(this: ServerHttp2Stream): void {
      closed(this.headersSent)
    }
    this.#awaitSettings()
    this.#idles()
    const age = keepalive.maxConnectionAgeMs
    this.#after(age === undefined ? undefined : jittered(age, Math.random()), () =>
      this.#farewell(keepalive.maxConnectionAgeGraceMs),
    )
    this.#pingLater()
    if (this.#enforcer !== undefined) session.on('ping', () => this.#pinged())
  }

  streamOpened(stream: ServerHttp2Stream): void {
    this.open++
    this.#cancel(this.#idleTimer)
    stream.once('close', this.#streamClosed)
  }

  stop(): void {
    for (const alarm of this.#alarms) alarm.cancel()
    this.#alarms.clear()
  }

  #closed(answered: boolean): void {
    if (answered) this.#enforcer?.answered()
    if (--this.open === 0 && !this.#session.destroyed) this.#idles()
  }

  #idles(): void {
    this.#idleTimer = this.#after(this.#keepalive.maxConnectionIdleMs, () => this.#farewell(undefined))
  }

  /** A client that connects and says nothing would keep its socket for ever. */
  #awaitSettings(): void {
    const mute = this.#after(this.#keepalive.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS, () =>
      this.#session.destroy(),
    )
    this.#session.once('remoteSettings', () => this.#cancel(mute))
  }

  #farewell(graceMs: number | undefined): void {
    this.#session.close()
    this.#after(graceMs, () => this.#session.destroy())
  }

  #pingLater(): void {
    const { socket } = this.#session
    this.#bytesSeen = socket.bytesRead
    this.#after(this.#keepalive.pingEveryMs, () => {
      // Who sends is there.
      if (this.#session.destroyed) return
      if (this.#session.socket.bytesRead !== this.#bytesSeen) this.#pingLater()
      else this.#ping()
    })
  }

  #ping(): void {
    const overdue = this.#after(this.#keepalive.pingTimeoutMs ?? DEFAULT_PING_TIMEOUT_MS, () =>
      this.#session.destroy(undefined, constants.NGHTTP2_NO_ERROR),
    )
    const sent = this.#session.ping((error) => {
      this.#cancel(overdue)
      if (error === null && !this.#session.destroyed) this.#pingLater()
    })
    if (!sent) this.#cancel(overdue)
  }

  #pinged(): void {
    const session = this.#session
    if (session.destroyed || !this.#enforcer?.tooMany(performance.now(), this.open)) return
    const last = session.state.lastProcStreamID ?? 0
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, last, TOO_MANY_PINGS)
    // The frame is written at the end of this turn.
    setImmediate(() => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM))
  }

  #after(ms: number | undefined, act: () => void): Alarm | undefined {
    if (ms === undefined || ms <= 0) return undefined
    const alarm = new Alarm(ms, () => {
      this.#alarms.delete(alarm)
      act()
    })
    this.#alarms.add(alarm)
    return alarm
  }

  #cancel(alarm: Alarm | undefined): void {
    if (alarm === undefined) return
    alarm.cancel()
    this.#alarms.delete(alarm)
  }
}
