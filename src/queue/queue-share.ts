import type { ComponentContext } from '../component/contracts.ts'
import { SIGNALS, type Signal } from '../otlp/batch.ts'

const KIB = 1024

/**
 * What the queues of one signal hold in all lanes together: each lane has a queue, and `queue_size` is for all. A lane writes
 * what it holds itself and reads the others; of one that has died nothing counts, for it does not hold its piece any more.
 */
export class QueueShare {
  readonly #own: Int32Array | undefined
  readonly #others: readonly Int32Array[]
  readonly #cell: number
  readonly #unit: number
  #size = 0
  #bytes = 0

  /** `bytes`: sizes are bytes, and counted by the KiB. */
  constructor({ lane, shared }: Pick<ComponentContext, 'lane' | 'shared'>, signal: Signal, bytes: boolean) {
    this.#unit = bytes ? KIB : 1
    this.#cell = 1 + 2 * SIGNALS.indexOf(signal)
    const others: Int32Array[] = []
    if (lane.count > 1) {
      const piece = shared(`queue ${lane.index}`)
      // What a lane before this one left behind there. Instances of one lane add up.
      if (piece.tryHold()) piece.cells.fill(0, 1)
      this.#own = piece.cells
      for (let other = 0; other < lane.count; other++)
        if (other !== lane.index) others.push(shared(`queue ${other}`).cells)
    }
    this.#others = others
  }

  /** In this lane. */
  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  get othersSize(): number {
    return this.#sum(this.#cell) * this.#unit
  }

  get othersBytes(): number {
    return this.#sum(this.#cell + 1) * KIB
  }

  change(size: number, bytes: number): void {
    const own = this.#own
    if (own !== undefined) {
      Atomics.add(own, this.#cell, units(this.#size + size, this.#unit) - units(this.#size, this.#unit))
      Atomics.add(own, this.#cell + 1, units(this.#bytes + bytes, KIB) - units(this.#bytes, KIB))
    }
    this.#size += size
    this.#bytes += bytes
  }

  #sum(cell: number): number {
    let sum = 0
    for (const other of this.#others) if (Atomics.load(other, 0) !== 0) sum += Atomics.load(other, cell)
    return sum
  }
}

function units(amount: number, unit: number): number {
  return Math.ceil(amount / unit)
}
