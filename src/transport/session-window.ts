import type { ServerHttp2Session } from 'node:http2'
import type { Admission } from './admission.ts'

/** HTTP/2's initial window: a stream may send that much before it hears of another one. */
export const NARROW_WINDOW = 65_535
// With the 64 KiB that HTTP/2 starts with, every larger request stalls once for a WINDOW_UPDATE: 571 against 770 MB a
// CPU-second at 64 KiB requests, and a stream is capped at window / round-trip time.
const WIDE_WINDOW = 1 << 20
// Of what is refused by its headers a client sends as much all the same: at 9,000 refusals a second 64 KiB each cost so much that 0.85 was
// delivered of what a slow sink takes (bench case `overload`). A call that is let in waits for a round trip each half of it: with 16 KiB
// requests of 4 MB took 6 s to come, and 0.84 was delivered of `overload-large`, 0.97 with this.
const SHUT_WINDOW = 32_768
const CONNECTION_WINDOW = 16 << 20
/** What a wide one is booked with. */
const MORE = WIDE_WINDOW - (NARROW_WINDOW + 1)
/** While anything is refused, and so long after it, all are shut. */
const CALM_AFTER_MS = 1000

/**
 * How much a stream of one connection may send unasked. Wide from the start where the byte budget has room, which is booked, else narrow; shut
 * while requests are refused, so that clients do not send a megabyte each of what has no room.
 */
export class SessionWindow {
  readonly #session: ServerHttp2Session
  readonly #admission: Admission
  readonly #ended: () => void
  /** What the peer was told last. */
  #told = NARROW_WINDOW
  /** `MORE` is booked. */
  #wide = false
  /** The peer has not said yet that it goes by the last change. A second one waits for that: a peer that never answers is cut at ten. */
  #changing = false

  constructor(session: ServerHttp2Session, admission: Admission) {
    this.#session = session
    this.#admission = admission
    // Node gives a connection's window back as it reads: what bounds a stream that nobody reads is its own.
    session.setLocalWindowSize(CONNECTION_WINDOW)
    this.#ended = admission.onPressure(() => this.#shut())
    this.used()
  }

  /** Bytes that a stream may send before anybody has looked at it. */
  get bytes(): number {
    return this.#wide ? WIDE_WINDOW : Math.max(this.#told, this.#changing ? NARROW_WINDOW : 0)
  }

  /** A call came: the moment to widen again. */
  used(): void {
    if (this.#changing || this.#wide) return
    if (this.#admission.calmMs < CALM_AFTER_MS || this.#admission.limited) this.#shut()
    else if (this.#admission.widen(MORE)) {
      this.#wide = true
      this.#tell(WIDE_WINDOW)
    } else this.#tell(NARROW_WINDOW)
  }

  /** The connection has closed. */
  end(): void {
    this.#ended()
    this.#narrow()
    this.#changing = true
  }

  #shut(): void {
    // Until the peer has taken note it may still send by the wide one.
    if (!this.#changing) this.#tell(SHUT_WINDOW, () => this.#narrow())
  }

  #narrow(): void {
    if (this.#wide) this.#admission.narrow(MORE)
    this.#wide = false
  }

  #tell(initialWindowSize: number, acknowledged = (): void => {}): void {
    if (initialWindowSize === this.#told || this.#session.destroyed || this.#session.closed) return
    this.#told = initialWindowSize
    this.#changing = true
    this.#session.settings({ initialWindowSize }, (error) => {
      // `end` has settled everything by then.
      if (error !== null || this.#session.destroyed) return
      this.#changing = false
      acknowledged()
    })
  }
}
