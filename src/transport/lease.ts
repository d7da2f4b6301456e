/** Runs `release` once, when everybody who holds has dropped; made held once. */
export class Lease {
  readonly #release: (() => void) | undefined
  #holds = 1

  constructor(release: (() => void) | undefined) {
    this.#release = release
  }

  hold(): void {
    this.#holds++
  }

  drop(): void {
    if (--this.#holds === 0) this.#release?.()
  }
}
