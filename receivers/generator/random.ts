/** Seeded random numbers (sfc32): the same seed gives the same telemetry. Not for secrets. */
export class Random {
  #a: number
  #b = 0x9e3779b9
  #c = 0x243f6a88
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b ^= Math.floor(seed / 0x1_0000_0000) | 0
    // Seeds that differ in one bit part company only after some rounds.
    for (let i = 0; i < 12; i++) this.bits()
  }

  /** 32 random bits as a signed number. */
  bits(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0
    return result
  }

  /** From 0 up to but without 1. */
  fraction(): number {
    return (this.bits() >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 up to but without `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** Log-normal, as latencies are: half of the values lie below `median`; `spread` is the deviation of the logarithm. */
  logNormal(median: number, spread: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()))
    return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.fraction()))
  }

  /** Random bytes, never all zero: an id of zeros is no id. */
  id(length: number): Uint8Array {
    const id = new Uint8Array(length)
    for (let i = 0; i < length; i++) id[i] = this.bits() >>> 24
    if (id.every((byte) => byte === 0)) id[0] = 1
    return id
  }

  digits(count: number): string {
    let digits = ''
    while (digits.length < count) digits += this.below(10)
    return digits
  }
}
