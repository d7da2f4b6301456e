/** Time as a component sees it; tests hand in one that they move themselves. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonic(): number
  setTimeout(callback: () => void, ms: number): Timer
}

/** A pending call; `cancel` is safe at any time, also afterwards. */
export interface Timer {
  cancel(): void
}

/** The longest that a timer of Node takes, in milliseconds, 24.8 days: what is set for longer rings at once. */
export const LONGEST_TIMER_MS = 0x7fff_ffff

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    let handle: NodeJS.Timeout
    // A peer may ask for a year's wait, and people write years where they mean never.
    const wait = (left: number): void => {
      handle =
        left > LONGEST_TIMER_MS
          ? setTimeout(wait, LONGEST_TIMER_MS, left - LONGEST_TIMER_MS)
          : setTimeout(callback, left)
    }
    wait(Math.max(0, ms))
    return { cancel: () => clearTimeout(handle) }
  },
}
