import type { Clock, Timer } from '../clock.ts'

/** Occurrences that one log line speaks of. */
export interface Occurrences {
  readonly items: number
  readonly batches: number
  /** Of the last one. */
  readonly cause: string
}

/**
 * Turns occurrences into few lines: the first is said at once, later ones are added up and said together when `everyMs`
 * have passed since the line before. None is forgotten.
 */
export class Summary {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #say: (what: Occurrences) => void
  #pending: Occurrences | undefined
  #timer: Timer | undefined

  constructor(clock: Clock, everyMs: number, say: (what: Occurrences) => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#say = say
  }

  add(items: number, cause: string): void {
    this.#pending = {
      items: (this.#pending?.items ?? 0) + items,
      batches: (this.#pending?.batches ?? 0) + 1,
      cause,
    }
    if (this.#timer === undefined) this.#speak()
  }

  /** Says what is still unsaid. The next occurrence is said at once. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#pending === undefined) return
    const said = this.#pending
    this.#pending = undefined
    this.#say(said)
  }

  #speak(): void {
    this.flush()
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#pending !== undefined) this.#speak()
    }, this.#everyMs)
  }
}
