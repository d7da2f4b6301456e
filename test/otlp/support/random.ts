/** A small seeded generator of numbers (xorshift32): the same seed gives the same test case on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed | 0, 0x9e3779b1) ^ 0x85ebca6b || 1
    for (let i = 0; i < 4; i++) this.bits()
  }

  /** 32 random bits as a signed number. */
  bits(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x
  }

  /** A whole number from 0 up to but without `limit`. */
  below(limit: number): number {
    return (this.bits() >>> 0) % limit
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.bits() >>> 0 < p * 0x1_0000_0000
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = this.bits()
    return bytes
  }
}
