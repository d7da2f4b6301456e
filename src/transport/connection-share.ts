/** Servers of a lane whose connections are counted; later ones are not spread. */
const SERVERS = 64
/** Slots that there are at most. */
export const MOST_LANES = 64

/** How many more connections than its share a lane has before it parts with some: at least one, and a part of the share. */
const SLACK = 0.2

/**
 * How many connections each lane has at one address. The kernel deals them by a hash of their addresses: with few of
 * them one lane may have all. Each lane writes its own cell only; 0 says that it does not listen, n + 1 that it has n.
 */
export class ConnectionShare {
  readonly #cells: Int32Array
  readonly #server: number
  readonly #lane: number

  /** `server`: which of the lane's, in the order of their start. */
  constructor(memory: SharedArrayBuffer, server: number, lane: number) {
    this.#cells = new Int32Array(memory)
    this.#server = Math.min(server, SERVERS)
    this.#lane = lane
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer((SERVERS + 1) * MOST_LANES * Int32Array.BYTES_PER_ELEMENT)
  }

  /** Of the supervisor: the lane has ended. */
  static forget(memory: SharedArrayBuffer, lane: number): void {
    const cells = new Int32Array(memory)
    for (let cell = lane; cell < cells.length; cell += MOST_LANES) Atomics.store(cells, cell, 0)
  }

  /** Connections of a lane at all addresses together. */
  static of(memory: SharedArrayBuffer, lane: number): number {
    const cells = new Int32Array(memory)
    let count = 0
    for (let cell = lane; cell < cells.length; cell += MOST_LANES) count += Math.max(0, Atomics.load(cells, cell) - 1)
    return count
  }

  /** It takes connections from now on, or none any more. */
  listens(on: boolean): void {
    Atomics.store(this.#cells, this.#cell(this.#lane), on ? 1 : 0)
  }

  opened(): void {
    this.#add(1)
  }

  closed(): void {
    this.#add(-1)
  }

  /** How many connections this lane has. */
  get own(): number {
    return Math.max(0, Atomics.load(this.#cells, this.#cell(this.#lane)) - 1)
  }

  /** How many connections this lane should part with: 0 while it has about its share. */
  get surplus(): number {
    if (this.#server === SERVERS) return 0
    const { own } = this
    if (own < 2) return 0
    let all = 0
    let lanes = 0
    for (let lane = 0; lane < MOST_LANES; lane++) {
      const count = Atomics.load(this.#cells, this.#cell(lane))
      if (count === 0) continue
      lanes++
      all += count - 1
    }
    const share = all / lanes
    return own - share >= Math.max(1, share * SLACK) ? Math.floor(own - share) : 0
  }

  #cell(lane: number): number {
    return this.#server * MOST_LANES + lane
  }

  #add(n: number): void {
    const cell = this.#cell(this.#lane)
    // After the last of `listens` those that are left count no more.
    if (Atomics.load(this.#cells, cell) > 0) Atomics.add(this.#cells, cell, n)
  }
}
