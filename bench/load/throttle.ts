const GRACE_MS = 50

/** Serves one job after the other at so many items a second, as a backend does that has reached its limit. */
export class Throttle {
  #itemsPerMs: number
  readonly #waiting: { readonly items: number; readonly serve: () => void; readonly gone: () => boolean }[] = []
  #served = 0
  #timer: NodeJS.Timeout | undefined

  constructor(itemsPerSecond: number) {
    this.#itemsPerMs = itemsPerSecond / 1000
  }

  /** Calls `serve` when it is the job's turn and its time has passed; never where the sender has `gone` by then. */
  push(items: number, gone: () => boolean, serve: () => void): void {
    this.#waiting.push({ items, gone, serve })
    if (this.#timer !== undefined) return
    // Late timers are made up for, idle time is not.
    this.#served = Math.max(this.#served, performance.now() - GRACE_MS)
    this.#next()
  }

  /** From now on everything is served at once. */
  lift(): void {
    this.#itemsPerMs = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const job of this.#waiting.splice(0)) if (!job.gone()) job.serve()
  }

  #next(): void {
    this.#timer = undefined
    for (let job = this.#waiting[0]; job !== undefined; job = this.#waiting[0]) {
      if (job.gone()) {
        this.#waiting.shift()
        continue
      }
      const due = this.#served + job.items / this.#itemsPerMs
      const wait = due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#next(), Math.max(1, wait))
        return
      }
      this.#waiting.shift()
      this.#served = due
      job.serve()
    }
  }
}
