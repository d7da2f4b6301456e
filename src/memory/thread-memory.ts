import { MOST_THREADS } from '../transport/admission.ts'

/** How much memory the whole process uses, in bytes. */
export interface ProcessMemory {
  /** Used heap and buffers of all threads, and what connections may still send unasked. */
  used(): number
}

/** Readings among which the least counts as external memory that is no buffer. */
const READINGS = 5

/**
 * Used heap and buffers of every thread, in shared memory: V8 tells a thread about itself only. Resident memory says
 * little, for it does not shrink when memory becomes free.
 */
export class ThreadMemory {
  readonly #published: Float64Array
  readonly #thread: number
  readonly #others: number[] = []

  /** `thread`: 0 is the main one. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#published = new Float64Array(memory)
    this.#thread = thread
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(MOST_THREADS * Float64Array.BYTES_PER_ELEMENT)
  }

  /** `thread` has ended: its memory is free. */
  forget(thread: number): void {
    this.#published[thread] = 0
  }

  /** Publishes this thread's own figure, for those that sum. */
  publish(): void {
    this.#published[this.#thread] = this.#own()
  }

  /** Of all threads, this one as it is now, the others as they last published. */
  used(): number {
    this.publish()
    let sum = 0
    for (const bytes of this.#published) sum += bytes
    return sum
  }

  #own(): number {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    // V8 takes freed buffers off `external` one collection late; off `arrayBuffers` at once. So what is external and no buffer
    // (sessions of TLS, states of zlib) is the least of several readings.
    this.#others.push(Math.max(0, external - arrayBuffers))
    if (this.#others.length > READINGS) this.#others.shift()
    return heapUsed + arrayBuffers + Math.min(...this.#others)
  }
}
