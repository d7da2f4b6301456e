import type { SharedPiece } from '../memory/shared-board.ts'

// Cells of a lane's piece; the first is not the user's.
const LOAD = 1
const BEATS = 2
const SCALE = 1_000_000

/** After so many looks without a sign of life a lane is busy: it cannot even say so. */
const SILENT_LOOKS = 4

/** How much CPU each lane takes, in memory that all of them see: 0 to 1, a share of time. A lane writes its own and reads the others'. */
export class LaneLoads {
  readonly #pieces: readonly SharedPiece[]
  readonly #lane: number
  readonly #seen: Int32Array
  readonly #silent: Int32Array

  /** `piece` gives the memory of a lane, the same in every lane. */
  constructor(lane: number, lanes: number, piece: (lane: number) => SharedPiece) {
    this.#lane = lane
    this.#pieces = Array.from({ length: lanes }, (_, each) => piece(each))
    this.#seen = new Int32Array(lanes)
    this.#silent = new Int32Array(lanes)
    // What the lane before said at its last would count as silence, and as busy, until this one has work of its own.
    this.rest()
  }

  /** Says how much this lane takes; others believe it for some looks only. */
  publish(load: number): void {
    const { cells } = this.#pieces[this.#lane]!
    Atomics.store(cells, LOAD, Math.round(load * SCALE))
    Atomics.add(cells, BEATS, 1)
  }

  /** Says that this lane has nothing to do, until it says something else. */
  rest(): void {
    const { cells } = this.#pieces[this.#lane]!
    Atomics.store(cells, LOAD, 0)
  }

  /** How much `lane` takes. To be asked of each once in a while, always after the same time. */
  look(lane: number): number {
    const { cells } = this.#pieces[lane]!
    const load = Atomics.load(cells, LOAD) / SCALE
    const beats = Atomics.load(cells, BEATS)
    if (load === 0 || beats !== this.#seen[lane]) {
      this.#seen[lane] = beats
      this.#silent[lane] = 0
      return load
    }
    return ++this.#silent[lane]! > SILENT_LOOKS ? 1 : load
  }
}
