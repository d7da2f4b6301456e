/**
 * Pooled memory for batches. A fresh large ArrayBuffer costs a system call, page faults and, because V8 sees external
 * memory grow, its share of full garbage collections, which were 18 % of a profile of bench case `pass`. So request
 * bodies and what a pass writes come from here and go back.
 *
 * Whoever takes bytes holds them until `release`; whoever else needs them for longer than their delivery is unsettled, a
 * socket that still sends, retains them and releases them too. Bytes that nobody releases are lost to the pool and left
 * to the garbage collector, which is always safe; released too early they would be overwritten. Bytes that are not from
 * the pool may be retained and released with no effect.
 */
export class ArenaPool {
  readonly #idleLimit: number
  readonly #free: ArrayBuffer[][] = []
  readonly #holds = new WeakMap<ArrayBufferLike, Holds>()
  #idleBytes = 0
  /** The least that was idle since the last `trimUnused`: nobody needed that much. */
  #leastIdle = 0
  #heldArenas = 0
  /** How often anybody took bytes, from the pool or not. */
  taken = 0
  /** Overwrites what comes back, so that a test sees who reads it too late. */
  poison = false

  /** `idleLimit`: bytes that may lie around unused; what comes back beyond that is freed at once. */
  constructor(idleLimit: number) {
    this.#idleLimit = idleLimit
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** Arenas given out and not released; those that were left to the garbage collector count for ever. */
  get held(): number {
    return this.#heldArenas
  }

  /** `length` bytes with anything in them, held once. */
  take(length: number): Buffer {
    this.taken++
    if (length < SMALLEST || length > LARGEST) return Buffer.allocUnsafeSlow(length)
    this.#heldArenas++
    const sizeClass = classOf(length)
    let arena = this.#free[sizeClass]?.pop()
    if (arena === undefined) {
      arena = Buffer.allocUnsafeSlow(sizeOf(sizeClass)).buffer as ArrayBuffer
      this.#holds.set(arena, { count: 1, sizeClass })
    } else {
      this.#idleBytes -= arena.byteLength
      if (this.#idleBytes < this.#leastIdle) this.#leastIdle = this.#idleBytes
      this.#holds.get(arena)!.count = 1
    }
    return Buffer.from(arena, 0, length)
  }

  retain(bytes: Uint8Array): void {
    const holds = this.#holds.get(bytes.buffer)
    if (holds === undefined) return
    if (holds.count === 0) throw new Error('bytes were retained after they had been released')
    holds.count++
  }

  release(bytes: Uint8Array): void {
    const arena = bytes.buffer as ArrayBuffer
    const holds = this.#holds.get(arena)
    if (holds === undefined) return
    if (holds.count === 0) throw new Error('bytes were released more often than they were held')
    if (--holds.count > 0) return
    this.#heldArenas--
    if (this.poison) new Uint8Array(arena).fill(0xdd)
    if (this.#idleBytes + arena.byteLength > this.#idleLimit) {
      // Detaching frees now; a dropped ArrayBuffer stays resident until some collection.
      this.#holds.delete(arena)
      arena.transfer(0)
      return
    }
    this.#idleBytes += arena.byteLength
    const free = this.#free[holds.sizeClass]
    if (free === undefined) this.#free[holds.sizeClass] = [arena]
    else free.push(arena)
  }

  /**
   * The arena of `bytes`, for a transfer to another thread; undefined where somebody else holds it too, or where it is not from the pool.
   * The pool forgets it: the release by its one holder has no effect any more.
   */
  surrender(bytes: Uint8Array): ArrayBuffer | undefined {
    const arena = bytes.buffer as ArrayBuffer
    if (this.#holds.get(arena)?.count !== 1) return undefined
    this.#holds.delete(arena)
    this.#heldArenas--
    return arena
  }

  /** Takes in an arena that another thread surrendered; it is held once. What no pool made passes through with no effect. */
  adopt(arena: ArrayBuffer): void {
    const { byteLength } = arena
    if (byteLength < SMALLEST || byteLength > LARGEST) return
    const sizeClass = classOf(byteLength)
    if (sizeOf(sizeClass) !== byteLength) return
    this.#holds.set(arena, { count: 1, sizeClass })
    this.#heldArenas++
  }

  /** Frees arenas that nobody has needed since the last time, `most` bytes at once: to free one is a system call. */
  trimUnused(most: number): void {
    let left = Math.min(most, this.#leastIdle)
    for (const free of this.#free) {
      for (let arena = free?.[0]; arena !== undefined && arena.byteLength <= left; arena = free![0]) {
        free!.shift()
        left -= arena.byteLength
        this.#idleBytes -= arena.byteLength
        this.#holds.delete(arena)
        arena.transfer(0)
      }
    }
    this.#leastIdle = this.#idleBytes
  }

  /** Frees what lies around unused. */
  trim(): void {
    for (const free of this.#free) {
      for (const arena of free?.splice(0) ?? []) {
        this.#holds.delete(arena)
        arena.transfer(0)
      }
    }
    this.#idleBytes = 0
    this.#leastIdle = 0
  }

  retainAll(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.retain(chunk)
  }

  releaseAll(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.release(chunk)
  }
}

interface Holds {
  count: number
  readonly sizeClass: number
}

/** Below, an allocation of its own is cheaper than the book-keeping. */
const SMALLEST = 4096
/** Above, a buffer is too rare to be kept. */
const LARGEST = 1 << 25

/** Four classes a doubling: at most a fifth of an arena stays unused. */
function classOf(length: number): number {
  const doubling = 31 - Math.clz32(length - 1)
  const quarter = ((length - 1) >>> (doubling - 2)) & 3
  return (doubling << 2) | quarter
}

/** The largest length of a class. */
function sizeOf(sizeClass: number): number {
  const doubling = sizeClass >>> 2
  return (4 + (sizeClass & 3) + 1) << (doubling - 2)
}

/** Idle memory that one thread keeps: about what 32 requests of the usual megabyte need. */
const IDLE_LIMIT = 32 << 20

/** The pool of this thread: memory is the one thing that all of a thread's components share. */
export const arenas = new ArenaPool(IDLE_LIMIT)
