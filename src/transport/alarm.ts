/** What Node's timers take: above, they ring at once. */
const LONGEST_MS = 0x7fff_ffff

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
    const step = Math.min(ms, LONGEST_MS)
    this.#timer = setTimeout(() => (step < ms ? this.#set(ms - step, ring) : ring()), step)
    this.#timer.unref()
  }
}
