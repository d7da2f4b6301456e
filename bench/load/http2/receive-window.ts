/** What a peer may send: given back in large pieces, once half of it is used up. */
export class ReceiveWindow {
  readonly #bytes: number
  #spent = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Gives by how much the window is to be widened now: 0 most of the time. */
  spend(bytes: number): number {
    this.#spent += bytes
    if (this.#spent * 2 < this.#bytes) return 0
    const spent = this.#spent
    this.#spent = 0
    return spent
  }
}
