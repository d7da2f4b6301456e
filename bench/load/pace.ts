/**
 * When requests of an open loop are due: every `intervalMs`, whatever the answers do. One that finds every slot taken stays
 * due since its time, so that a stall of the engine shows in the latency of all the requests that it held up. (To count from
 * the time of sending would leave them out: coordinated omission.)
 */
export class Schedule {
  readonly #start: number
  readonly #intervalMs: number
  #taken = 0

  constructor(start: number, intervalMs: number) {
    this.#start = start
    this.#intervalMs = intervalMs
  }

  /** When the next request that was not taken yet is due. */
  get next(): number {
    return this.#start + this.#taken * this.#intervalMs
  }

  /** Takes the next request where it is due, and gives the time it was due. */
  take(now: number): number | undefined {
    const due = this.next
    if (due > now) return undefined
    this.#taken++
    return due
  }
}
