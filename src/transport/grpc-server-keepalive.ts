import { constants, type Http2Stream, type ServerHttp2Session } from 'node:http2'

/** How long a connection lives, in milliseconds, as grpc-go's server parameters say it; absent: for ever, unasked. */
export interface ServerKeepalive {
  /** Without a call for this long: GOAWAY. */
  readonly maxConnectionIdleMs?: number
  /** After this long (give or take a tenth, so that clients do not return all at once): GOAWAY. */
  readonly maxConnectionAgeMs?: number
  /** What calls under way then get before the connection is cut. */
  readonly maxConnectionAgeGraceMs?: number
  /** After this long a ping asks whether the client is still there … */
  readonly pingEveryMs?: number
  /** … and no answer for this long ends the connection. */
  readonly pingTimeoutMs?: number
}

const DEFAULT_PING_TIMEOUT_MS = 20_000

export interface Supervision {
  streamOpened(stream: Http2Stream): void
  stop(): void
}

/** Ends a connection that is idle, old or dead. */
export function superviseSession(session: ServerHttp2Session, keepalive: ServerKeepalive): Supervision {
  const timers = new Set<NodeJS.Timeout>()
  const after = (ms: number | undefined, act: () => void): NodeJS.Timeout | undefined => {
    if (ms === undefined || ms <= 0) return undefined
    const timer = setTimeout(() => {
      timers.delete(timer)
      act()
    }, ms)
    timer.unref()
    timers.add(timer)
    return timer
  }
  const cancel = (timer: NodeJS.Timeout | undefined): void => {
    if (timer === undefined) return
    clearTimeout(timer)
    timers.delete(timer)
  }
  const farewell = (graceMs: number | undefined): void => {
    session.close()
    after(graceMs, () => session.destroy())
  }

  let open = 0
  const idle = (): NodeJS.Timeout | undefined => after(keepalive.maxConnectionIdleMs, () => farewell(undefined))
  let idleTimer = idle()

  const age = keepalive.maxConnectionAgeMs
  after(age === undefined ? undefined : age * (0.9 + Math.random() * 0.2), () =>
    farewell(keepalive.maxConnectionAgeGraceMs),
  )

  const ping = (): void => {
    const overdue = after(keepalive.pingTimeoutMs ?? DEFAULT_PING_TIMEOUT_MS, () =>
      session.destroy(undefined, constants.NGHTTP2_NO_ERROR),
    )
    const sent =
      !session.destroyed &&
      session.ping((error) => {
        cancel(overdue)
        if (error === null) after(keepalive.pingEveryMs, ping)
      })
    if (!sent) cancel(overdue)
  }
  after(keepalive.pingEveryMs, ping)

  return {
    streamOpened(stream) {
      open++
      cancel(idleTimer)
      stream.once('close', () => {
        if (--open === 0 && !session.destroyed) idleTimer = idle()
      })
    },
    stop() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
