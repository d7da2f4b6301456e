/**
 * Fresh trace ids by byte writes, and the number of a request inside of them. The id of a request's first trace begins with
 * MARK and the number of the request, so that the sink can say which requests reached it, also where they came joined or split;
 * all else of the ids is random.
 */
import { after, readLength, readTag, skipValue } from '../../src/otlp/varint.ts'
import type { BenchSignal } from './payload.ts'

const MARK = 0x51d0_c7e5
const LEN = 2
/** Tag of `trace_id` in a Span and in a LogRecord. */
const TRACE_ID: Readonly<Record<BenchSignal, number>> = { traces: (1 << 3) | LEN, logs: (9 << 3) | LEN, metrics: -1 }
export const ID_BYTES = 16
const RESOURCE_TAG = (1 << 3) | LEN
const SCOPE_TAG = (2 << 3) | LEN
const RECORD_TAG = (2 << 3) | LEN

/** Where a request's trace ids begin, in order; spans of one trace have the same id and follow each other. */
export function traceIdOffsets(signal: BenchSignal, bytes: Uint8Array): readonly number[] {
  const found: number[] = []
  if (signal === 'metrics') return found
  each(bytes, 0, bytes.length, RESOURCE_TAG, (resource, resourceEnd) =>
    each(bytes, resource, resourceEnd, SCOPE_TAG, (scope, scopeEnd) =>
      each(bytes, scope, scopeEnd, RECORD_TAG, (record, recordEnd) =>
        each(bytes, record, recordEnd, TRACE_ID[signal], (id) => {
          found.push(id)
          return true
        }),
      ),
    ),
  )
  return found
}

/** Where the trace ids of a request are, and those of copies of it. */
export interface Places {
  readonly offsets: readonly number[]
  /** At `i`: does the record at `offsets[i]` belong to another trace than the one before it? */
  readonly begins: readonly boolean[]
  /** Of the first trace. */
  readonly first: readonly number[]
}

/** `offsets`: where ids begin, counted from `base` in `bytes`. */
export function placesOf(bytes: Buffer, offsets: readonly number[], base: number): Places {
  const based = offsets.map((offset) => offset + base)
  const begins = based.map((offset, i) => {
    const before = based[i - 1]
    return before === undefined || bytes.compare(bytes, before, before + ID_BYTES, offset, offset + ID_BYTES) !== 0
  })
  return { offsets: based, begins, first: firstTrace(bytes, based) }
}

/** Writes new ids at the offsets of a request, one for each trace, and its number into the first. */
export class FreshIds {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #places: Places
  #state: number

  /** `seed`: of the ids. */
  constructor(bytes: Buffer, places: Places, seed: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#places = places
    this.#state = (seed * 0x9e3779b9) | 1
  }

  write(number: number): void {
    const view = this.#view
    const { offsets, begins, first } = this.#places
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = 0; i < offsets.length; i++) {
      const at = offsets[i]!
      if (begins[i]) {
        a = this.#next()
        b = this.#next()
        c = this.#next()
        d = this.#next()
      }
      view.setInt32(at, a)
      view.setInt32(at + 4, b)
      view.setInt32(at + 8, c)
      view.setInt32(at + 12, d)
    }
    mark(this.#bytes, first, number)
  }

  /** xorshift32. */
  #next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x
  }
}

/** The offsets of the first trace's ids: those that follow each other and are the same. */
export function firstTrace(bytes: Buffer, offsets: readonly number[]): readonly number[] {
  const first = offsets[0]
  if (first === undefined) return []
  const others = offsets.findIndex(
    (offset) => bytes.compare(bytes, first, first + ID_BYTES, offset, offset + ID_BYTES) !== 0,
  )
  return others < 0 ? offsets : offsets.slice(0, others)
}

/** Writes the number of a request into the ids of its first trace. */
export function mark(bytes: Buffer, offsets: readonly number[], number: number): void {
  for (const offset of offsets) {
    bytes.writeUInt32BE(MARK, offset)
    bytes.writeUInt32BE(number, offset + 4)
  }
}

/** Calls `found` with the number of every marked request in `bytes`: one look at the first span of each resource. */
export function marksIn(bytes: Buffer, found: (number: number) => void): void {
  each(bytes, 0, bytes.length, RESOURCE_TAG, (resource, resourceEnd) => {
    each(bytes, resource, resourceEnd, SCOPE_TAG, (scope, scopeEnd) => {
      each(bytes, scope, scopeEnd, RECORD_TAG, (span, spanEnd) => {
        each(bytes, span, spanEnd, TRACE_ID.traces, (id, idEnd) => {
          if (idEnd - id === ID_BYTES && bytes.readUInt32BE(id) === MARK) found(bytes.readUInt32BE(id + 4))
          return true
        })
        return true
      })
      return true
    })
  })
}

/** Calls `visit` with the bounds of every field with `tag` in a message, until it returns true. */
function each(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
  visit: (start: number, end: number) => unknown,
): void {
  for (let p = start; p < end; ) {
    const seen = readTag(bytes, p, end)
    p = after
    if (seen !== tag) {
      p = skipValue(bytes, seen, p, end)
      continue
    }
    const length = readLength(bytes, p, end)
    const from = after
    p = from + length
    if (visit(from, p) === true) return
  }
}
