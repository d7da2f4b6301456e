import type { Clock } from '../clock.ts'

const MINUTE_MS = 60_000

/** Says a thing at most once a minute, with how often it was not said since. */
export class Seldom {
  readonly #clock: Clock
  readonly #last = new Map<string, { at: number; unsaid: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `subject` is one of few. `times` is empty, or like ` (3 times more in the last minute)`. */
  say(subject: string, line: (times: string) => void): void {
    const now = this.#clock.monotonic()
    const last = this.#last.get(subject)
    if (last !== undefined && now - last.at < MINUTE_MS) {
      last.unsaid++
      return
    }
    const unsaid = last?.unsaid ?? 0
    this.#last.set(subject, { at: now, unsaid: 0 })
    line(unsaid === 0 ? '' : ` (nor ${unsaid} times since the last line about it)`)
  }
}
