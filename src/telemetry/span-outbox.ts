import type { Clock, Timer } from '../clock.ts'
import type { FinishedSpan } from './tracer.ts'

const MOST = 64
const WAIT_MS = 500

/** Gathers a lane's spans, so that they cross to the supervisor some at a time. */
export class SpanOutbox {
  readonly #clock: Clock
  readonly #post: (spans: readonly FinishedSpan[]) => void
  #spans: FinishedSpan[] = []
  #timer: Timer | undefined

  constructor(clock: Clock, post: (spans: readonly FinishedSpan[]) => void) {
    this.#clock = clock
    this.#post = post
  }

  add(span: FinishedSpan): void {
    this.#spans.push(span)
    if (this.#spans.length >= MOST) this.flush()
    else this.#timer ??= this.#clock.setTimeout(() => this.flush(), WAIT_MS)
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#spans.length > 0) this.#post(this.#spans)
    this.#spans = []
  }
}
