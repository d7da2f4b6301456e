import { text32 } from './text-hash.ts'

/** Names that there is room for. */
const PIECES = 4096
/** What a piece has: 16 cells of 32 bits, a cache line. */
const CELLS = 16
/** Of each piece, in front of all: the two hashes of its name. */
const NAMES = PIECES * 2

/** Of a piece: the thread that holds it, counted from 1; 0 is none. */
const HOLDER = 0
/** Whoever waits for a piece looks again after this long, should nobody have woken it. */
const LOOK_AGAIN_MS = 1000

/**
 * 64 bytes that instances in several threads share. They are 0 at first. One thread at a time may hold the piece; one that dies
 * lets go of it, so whoever holds it next has to expect what was half done.
 */
export class SharedPiece {
  /** 16 of them; the first says who holds the piece and is not the user's. */
  readonly cells: Int32Array
  /** The same bytes as 8 doubles; the first is not the user's. */
  readonly doubles: Float64Array
  readonly #thread: number

  constructor(memory: SharedArrayBuffer, offset: number, thread: number) {
    this.cells = new Int32Array(memory, offset, CELLS)
    this.doubles = new Float64Array(memory, offset, CELLS / 2)
    this.#thread = thread
  }

  /** One that nobody else has, for a single thread. */
  static alone(): SharedPiece {
    return new SharedPiece(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT), 0, 0)
  }

  /** This thread holds it. */
  get held(): boolean {
    return Atomics.load(this.cells, HOLDER) === this.#thread + 1
  }

  /** Holds it, unless anybody does. */
  tryHold(): boolean {
    return Atomics.compareExchange(this.cells, HOLDER, 0, this.#thread + 1) === 0
  }

  /** Resolves once this thread holds it. In no order: whoever comes first. */
  async hold(): Promise<void> {
    while (!this.tryHold()) {
      const holder = Atomics.load(this.cells, HOLDER)
      if (holder !== 0) await Atomics.waitAsync(this.cells, HOLDER, holder, LOOK_AGAIN_MS).value
    }
  }

  /** Holds it, whoever did: that one finds out when it asks. */
  seize(): void {
    Atomics.store(this.cells, HOLDER, this.#thread + 1)
  }

  /** Lets go of it; whoever waits hears of it. */
  release(): void {
    letGo(this.cells, this.#thread)
  }
}

/**
 * Memory that the instances of a component in all lanes share, a piece a name. It belongs to the supervisor, so that it
 * outlives each of them.
 */
export class SharedBoard {
  readonly #memory: SharedArrayBuffer
  readonly #names: Int32Array
  readonly #thread: number

  /** `thread`: 0 is the main one, as in `ThreadMemory`. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#memory = memory
    this.#names = new Int32Array(memory, 0, NAMES)
    this.#thread = thread
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(offsetOf(PIECES))
  }

  /** The same piece for everybody who says the same name. */
  piece(name: string): SharedPiece {
    const first = text32(name, 1) | 1
    const second = text32(name, 2) | 1
    for (let probe = 0; probe < PIECES; probe++) {
      const index = (((first >>> 1) + probe) % PIECES) | 0
      if (!isOrBecomes(this.#names, index * 2, first)) continue
      // The thread that wrote the first may have died before it wrote the second.
      if (!isOrBecomes(this.#names, index * 2 + 1, second)) continue
      return new SharedPiece(this.#memory, offsetOf(index), this.#thread)
    }
    throw new Error(`no room to share "${name}": ${PIECES} names are taken`)
  }

  /** `thread` has ended: it holds nothing any more. */
  forget(thread: number): void {
    for (let index = 0; index < PIECES; index++) {
      if (this.#names[index * 2] === 0) continue
      letGo(new Int32Array(this.#memory, offsetOf(index), CELLS), thread)
    }
  }
}

function offsetOf(index: number): number {
  return (NAMES + index * CELLS) * Int32Array.BYTES_PER_ELEMENT
}

function isOrBecomes(cells: Int32Array, cell: number, value: number): boolean {
  const seen = Atomics.compareExchange(cells, cell, 0, value)
  return seen === 0 || seen === value
}

function letGo(cells: Int32Array, thread: number): void {
  if (Atomics.compareExchange(cells, HOLDER, thread + 1, 0) !== thread + 1) return
  // All of them: one alone might die before it acts on it.
  Atomics.notify(cells, HOLDER)
}
