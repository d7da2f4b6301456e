import type { ServerHttp2Session } from 'node:http2'
import type { Admission } from './admission.ts'

/** HTTP/2's initial window: a stream may send that much before it hears of a larger one. */
export const NARROW_WINDOW = 65_535
// With the 64 KiB that HTTP/2 starts with, every larger request stalls once for a WINDOW_UPDATE: 571 against 770 MB a
// CPU-second at 64 KiB requests, and a stream is capped at window / round-trip time.
const WIDE_WINDOW = 1 << 20
const CONNECTION_WINDOW = 16 << 20
/** What a wide one is booked with. */
const MORE = WIDE_WINDOW - (NARROW_WINDOW + 1)
/** While anything is refused, and so long after it, none is wide. */
const RAISE_AGAIN_MS = 1000

/**
 * How much a stream of one connection may send unasked. Wide from the start where the byte budget has room, which is booked;
 * narrow while requests are refused, so that clients do not send a megabyte each of what has no room.
 */
export class SessionWindow {
  readonly #session: ServerHttp2Session
  readonly #admission: Admission
  readonly #ended: () => void
  #wide = false
  /** The peer has not said yet that it goes by the last change. A second one waits for that: a peer that never answers is cut at ten. */
  #changing = false

  constructor(session: ServerHttp2Session, admission: Admission) {
    this.#session = session
    this.#admission = admission
    // Node gives a connection's window back as it reads: what bounds a stream that nobody reads is its own.
    session.setLocalWindowSize(CONNECTION_WINDOW)
    this.#ended = admission.onPressure(() => this.#lower())
    this.#raise()
  }

  /** Bytes that a stream may send before anybody has looked at it. */
  get bytes(): number {
    return this.#wide ? WIDE_WINDOW : NARROW_WINDOW
  }

  /** A call came: the moment to widen again. */
  used(): void {
    if (!this.#wide && !this.#changing) this.#raise()
  }

  /** The connection has closed. */
  end(): void {
    this.#ended()
    if (this.#wide) this.#admission.narrow(MORE)
    this.#wide = false
    this.#changing = true
  }

  #raise(): void {
    if (this.#admission.calmMs < RAISE_AGAIN_MS || this.#admission.limited) return
    if (!this.#admission.widen(MORE)) return
    this.#wide = true
    this.#set(WIDE_WINDOW, () => {})
  }

  #lower(): void {
    if (!this.#wide || this.#changing) return
    // Until the peer has taken note it may still send by the wide one.
    this.#set(NARROW_WINDOW, () => {
      this.#wide = false
      this.#admission.narrow(MORE)
    })
  }

  #set(initialWindowSize: number, acknowledged: () => void): void {
    if (this.#session.destroyed || this.#session.closed) return
    this.#changing = true
    this.#session.settings({ initialWindowSize }, (error) => {
      // `end` has settled everything by then.
      if (error !== null || this.#session.destroyed) return
      this.#changing = false
      acknowledged()
    })
  }
}
