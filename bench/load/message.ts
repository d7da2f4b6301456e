/** Received bodies lie in buffers that are used again: to ask for a megabyte costs more than to fill it. */
const LEAST = 12
/** A prefix that announces more is believed as it comes true. */
const MOST_ANNOUNCED = 64 << 20
/** By the power of two that they are long. */
const free: readonly Buffer[][] = Array.from({ length: 33 }, () => [])

/** A body under way. */
export class Message {
  #bytes: Buffer | undefined
  #size = 0
  length = 0

  /** Adds `chunk[start, end)`; `expected`: how much there will be in all, as far as is known. */
  append(chunk: Buffer, start: number, end: number, expected = 0): void {
    const needed = this.length + end - start
    if (this.#bytes === undefined || needed > this.#bytes.length) {
      this.#grow(Math.max(needed, Math.min(expected, MOST_ANNOUNCED)))
    }
    this.length += chunk.copy(this.#bytes!, this.length, start, end)
  }

  /** What came so far; there until `release`. */
  get bytes(): Buffer {
    return this.#bytes === undefined ? Buffer.alloc(0) : this.#bytes.subarray(0, this.length)
  }

  release(): void {
    if (this.#bytes !== undefined) free[this.#size]!.push(this.#bytes)
    this.#bytes = undefined
    this.length = 0
  }

  #grow(needed: number): void {
    const size = Math.max(LEAST, 32 - Math.clz32(needed - 1))
    const bytes = free[size]!.pop() ?? Buffer.allocUnsafeSlow(2 ** size)
    const { length } = this
    if (this.#bytes !== undefined) {
      this.#bytes.copy(bytes, 0, 0, length)
      this.release()
    }
    this.#bytes = bytes
    this.#size = size
    this.length = length
  }
}
