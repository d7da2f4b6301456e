import type { SharedPiece } from '../memory/shared-board.ts'
import { text32 } from '../memory/text-hash.ts'

const SILENCE_S = 60
/** A cell has the time in seconds, and below it who spoke, counted from 1. */
const SPEAKER_BITS = 8
const SPEAKER = (1 << SPEAKER_BITS) - 1
const TIME = 0xff_ffff

/**
 * Which lane says what all of them have to say: one for all, and another when that one has been silent for a minute. A log
 * that every lane writes to would have each such line as often as there are lanes.
 */
export class Spokesman {
  readonly #cells: Int32Array
  readonly #speaker: number

  /** `lane` is its slot; the piece is used for nothing else. */
  constructor({ cells }: SharedPiece, lane: number) {
    this.#cells = cells.subarray(1)
    this.#speaker = lane + 1
  }

  /** Whether this lane is to say it now, which it then does. `subject` is one of few; `now` in ms since the epoch. */
  speaks(subject: string, now: number): boolean {
    const cell = (text32(subject) >>> 0) % this.#cells.length
    const second = Math.floor(now / 1000) & TIME
    for (let seen = Atomics.load(this.#cells, cell); ; ) {
      const speaker = seen & SPEAKER
      const silent = (second - (seen >>> SPEAKER_BITS)) & TIME
      if (speaker !== 0 && speaker !== this.#speaker && silent < SILENCE_S) return false
      const found = Atomics.compareExchange(this.#cells, cell, seen, (second << SPEAKER_BITS) | this.#speaker)
      if (found === seen) return true
      seen = found
    }
  }
}
