import type { Timer } from '../clock.ts'
import type { ComponentContext } from './contracts.ts'

/** What every lane has a part of and one of them makes something of. */
export interface Partials {
  /** This lane's part since the last time, as bytes; undefined where there is none. It holds it no more. */
  collect(): Uint8Array | undefined
  /** Adds what `collect` gave in this lane or another. */
  merge(part: Uint8Array): void
  /** Makes something of all that was merged. Runs in one lane at a time. */
  flush(): void
}

/** The lane that flushes waits this long for those that do not answer: they are busy, or have just ended. */
const LONGEST_WAIT_MS = 1000

const ASKED = 0
const ANSWERED = 1

/**
 * State that only needs sums: each lane adds up its own, and at each interval the first lane that runs asks the others for theirs, merges
 * all and flushes. What a lane has that ends meanwhile is lost with it; what one was asked too late for comes with the next flush. Uses
 * the `hear` and `tell` of the component's namesakes.
 */
export class Gathered {
  readonly #ctx: Pick<ComponentContext, 'clock' | 'lane' | 'namesakes'>
  readonly #partials: Partials
  readonly #intervalMs: number
  #timer: Timer | undefined
  #waiting: Timer | undefined
  /** Lanes that were asked and have not answered. */
  readonly #asked = new Set<number>()
  #stopped = false
  readonly #flushed = Promise.withResolvers<void>()

  constructor(
    ctx: Pick<ComponentContext, 'clock' | 'lane' | 'namesakes'>,
    partials: Partials,
    { intervalMs }: { readonly intervalMs: number },
  ) {
    this.#ctx = ctx
    this.#partials = partials
    this.#intervalMs = intervalMs
    ctx.namesakes.hear((bytes, from) => this.#hear(bytes, from))
  }

  start(): void {
    this.#arm()
  }

  /**
   * Flushes what this lane has and what others have told it, at once, or when those that are asked just now have answered: what
   * they have given up on the way is nowhere else. Safe twice, safe unstarted.
   */
  stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true
      this.#timer?.cancel()
      if (this.#waiting === undefined) this.#finish()
    }
    return this.#flushed.promise
  }

  #arm(): void {
    this.#timer = this.#ctx.clock.setTimeout(() => {
      this.#arm()
      if (this.#ctx.namesakes.first) this.#gather()
    }, this.#intervalMs)
  }

  #gather(): void {
    const { clock, lane, namesakes } = this.#ctx
    // The last time has not ended: its answers and those of this one come to the same.
    if (this.#waiting !== undefined) return
    for (let other = 0; other < lane.count; other++) {
      if (other !== lane.index && namesakes.tell(other, Uint8Array.of(ASKED))) this.#asked.add(other)
    }
    if (this.#asked.size === 0) this.#finish()
    else this.#waiting = clock.setTimeout(() => this.#finish(), LONGEST_WAIT_MS)
  }

  #hear(bytes: Uint8Array, from: number): void {
    if (bytes[0] === ASKED) {
      const part = this.#stopped ? undefined : this.#partials.collect()
      const answer = new Uint8Array(1 + (part?.length ?? 0))
      answer[0] = ANSWERED
      if (part !== undefined) answer.set(part, 1)
      this.#ctx.namesakes.tell(from, answer)
      return
    }
    if (bytes.length > 1) this.#partials.merge(bytes.subarray(1))
    this.#asked.delete(from)
    if (this.#asked.size === 0 && this.#waiting !== undefined) this.#finish()
  }

  #finish(): void {
    this.#waiting?.cancel()
    this.#waiting = undefined
    this.#asked.clear()
    const own = this.#partials.collect()
    if (own !== undefined) this.#partials.merge(own)
    this.#partials.flush()
    if (this.#stopped) this.#flushed.resolve()
  }
}
