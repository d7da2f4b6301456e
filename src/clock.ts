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

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    const handle = setTimeout(callback, Math.max(0, ms))
    return { cancel: () => clearTimeout(handle) }
  },
}
