import type { SharedPiece } from './shared-board.ts'

/** Cells of the piece; the one who leads holds it. */
const BEAT = 1
const REFUSING = 2
const COLLECTIONS = 3

/**
 * One decision of memory limiters in several lanes. One of them leads: it judges the readings, and the others follow. A
 * lane that ends, or dies, leads no more, and the next that asks does.
 */
export class JointDecision {
  readonly #piece: SharedPiece
  readonly #patienceMs: number

  /** A leader who has not decided for `patienceMs` hangs, and another takes its place. */
  constructor(piece: SharedPiece, patienceMs: number) {
    this.#piece = piece
    this.#patienceMs = patienceMs
  }

  /** Whether new data is to be refused. */
  get refusing(): boolean {
    return Atomics.load(this.#piece.cells, REFUSING) === 1
  }

  /** How often the leader has asked all to collect garbage. */
  get collections(): number {
    return Atomics.load(this.#piece.cells, COLLECTIONS)
  }

  /** Whether this lane leads; `now` in ms, by a clock that all lanes share. */
  leads(now: number): boolean {
    const { cells } = this.#piece
    const time = Math.floor(now) | 0
    if (!this.#piece.held && !this.#piece.tryHold()) {
      if (((time - Atomics.load(cells, BEAT)) | 0) <= this.#patienceMs) return false
      this.#piece.seize()
    }
    Atomics.store(cells, BEAT, time)
    return true
  }

  /** Of the leader. */
  decide(refusing: boolean): void {
    Atomics.store(this.#piece.cells, REFUSING, refusing ? 1 : 0)
  }

  /** Of the leader: all others are to collect garbage at their next check. */
  askToCollect(): void {
    Atomics.add(this.#piece.cells, COLLECTIONS, 1)
  }

  /** This lane leads no more. */
  resign(): void {
    this.#piece.release()
  }
}
