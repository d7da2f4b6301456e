import { Partition } from './partition.ts'
import { type RecordKey, traceIdOf } from './record-key.ts'

/** What one request has of a trace: a request of its own. */
export interface TraceGroup {
  /** 16 characters of a byte each; empty for records without a trace id. */
  readonly id: string
  /** Held once in the pool where it is not the whole that came. */
  readonly bytes: Uint8Array
  readonly items: number
}

/** Takes requests apart by trace, exactly: a hash of 32 bits would take two of many traces for one. */
export class TraceGroups {
  readonly #signal: 'traces' | 'logs'
  readonly #partition: Partition
  readonly #ids: string[] = []
  readonly #numbers = new Map<string, number>()

  constructor(signal: 'traces' | 'logs') {
    this.#signal = signal
    const key: RecordKey = { record: (bytes, start, end) => this.#numberOf(bytes, start, end) }
    this.#partition = new Partition(signal, key, 64, (number) => number)
  }

  /** The traces of a request in the order in which they first come. Throws WireError where the bytes are malformed. */
  split(chunk: Uint8Array): TraceGroup[] {
    this.#ids.length = 0
    this.#numbers.clear()
    const parts = this.#partition.split(chunk, 0)
    return parts.map(({ owner, bytes, items }) => ({ id: this.#ids[owner] ?? '', bytes, items }))
  }

  #numberOf(bytes: Uint8Array, start: number, end: number): number {
    const id = traceIdOf(this.#signal, bytes, start, end)
    let number = this.#numbers.get(id)
    if (number === undefined) {
      number = this.#ids.push(id) - 1
      this.#numbers.set(id, number)
    }
    return number
  }
}
