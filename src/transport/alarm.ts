import { LONGEST_TIMER_MS } from '../clock.ts'

/** Rings once after `ms`, however long that is, and keeps no process alive. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, ring: () => void) {
    this.#set(ms, ring)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  #set(ms: number, ring: () => void): void {
    const step = Math.min(ms, LONGEST_TIMER_MS)
    this.#timer = setTimeout(() => (step < ms ? this.#set(ms - step, ring) : ring()), step)
    this.#timer.unref()
  }
}
