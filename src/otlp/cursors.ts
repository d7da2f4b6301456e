import type { Key } from './key.ts'

/**
 * What a hook sees of a request: windows onto the bytes that move from record to record. Nothing here allocates unless
 * its name says text, plain or copy. Reads see pending edits. A cursor and what it returned are valid until it moves.
 */

export type ValueKind = 'empty' | 'string' | 'bool' | 'int' | 'double' | 'array' | 'kvlist' | 'bytes'

/** An AnyValue as plain JavaScript: int is a bigint, double a number. */
export type PlainValue =
  | undefined
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** A range of bytes in some buffer: `buffer[start, end)`. */
export interface ByteRange {
  readonly buffer: Uint8Array
  readonly start: number
  readonly end: number
}

/** A serialized AnyValue (its body, without tag and length), made once by `encodeValue` and set many times. */
export type EncodedValue = Uint8Array

/** An AnyValue in place. */
export interface ValueCursor extends ByteRange {
  readonly kind: ValueKind
  /**
   * `start`/`end` span the content of a string or bytes value, the body of an array or kvlist, and the number's own bytes
   * otherwise.
   */
  text(): string
  bool(): boolean
  /** Of an int or a double; an int past 2^53 is rounded. */
  number(): number
  bigint(): bigint
  plain(): PlainValue
  /** A copy of the AnyValue's body. */
  encodedCopy(): EncodedValue
}

/** The attributes of whatever the cursor stands on. Keys are prepared once with `Key.of`. */
export interface Attributes {
  /** How many there are now, edits included. */
  readonly size: number
  has(key: Key): boolean
  /** The value of the first attribute with that key, in a cursor that the next call reuses. */
  get(key: Key): ValueCursor | undefined
  /** Adds, or replaces where it is. Later attributes of the same key go. */
  set(key: Key, value: EncodedValue): void
  /** Adds only where the key is absent; true if it did. */
  insert(key: Key, value: EncodedValue): boolean
  /** Replaces only where the key is present; true if it did. */
  update(key: Key, value: EncodedValue): boolean
  /** Removes every attribute of that key; true if there was one. */
  delete(key: Key): boolean
  /** Gives the attribute another key, in place; an attribute that had the new key goes. True if `from` was there. */
  rename(from: Key, to: Key): boolean
  /** Walks them: `for (attributes.rewind(); attributes.next(); )`, then `key` and `value` are of the current one. */
  rewind(): void
  next(): boolean
  readonly key: ByteRange
  readonly value: ValueCursor
  keyText(): string
  /** Edits of the attribute that `next` stopped at. */
  setCurrent(value: EncodedValue): void
  deleteCurrent(): void
}

/** 64-bit unsigned as two halves: no bigint per record. */
export interface Fixed64 {
  readonly high: number
  readonly low: number
}

export interface ResourceCursor {
  readonly attributes: Attributes
  schemaUrl(): string
  /** Leaves out the resource with all its scopes and records. */
  drop(): void
}

export interface ScopeCursor {
  readonly resource: ResourceCursor
  readonly attributes: Attributes
  readonly name: ByteRange
  nameText(): string
  versionText(): string
  setName(name: Uint8Array): void
  setVersion(version: Uint8Array): void
  drop(): void
}

export interface EventCursor {
  readonly name: ByteRange
  nameText(): string
  readonly time: Fixed64
  readonly attributes: Attributes
}

export interface LinkCursor {
  readonly traceId: ByteRange
  readonly spanId: ByteRange
  readonly traceState: ByteRange
  readonly flags: number
  readonly attributes: Attributes
}

/** Rows below a record: `for (list.rewind(); list.next(); )`, then `current`. */
export interface ChildList<T> {
  readonly size: number
  rewind(): void
  next(): boolean
  readonly current: T
  /** Leaves the current one out. */
  deleteCurrent(): void
}

interface Record {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly attributes: Attributes
  /** Leaves the record out; scopes and resources left without any go too. */
  drop(): void
}

export interface SpanCursor extends Record {
  /** 16 bytes in valid data; empty where absent. */
  readonly traceId: ByteRange
  readonly spanId: ByteRange
  readonly parentSpanId: ByteRange
  readonly traceState: ByteRange
  readonly name: ByteRange
  nameText(): string
  readonly kind: number
  readonly flags: number
  readonly startTime: Fixed64
  readonly endTime: Fixed64
  readonly statusCode: number
  readonly statusMessage: ByteRange
  readonly events: ChildList<EventCursor>
  readonly links: ChildList<LinkCursor>
  setName(name: Uint8Array): void
  setTraceState(value: Uint8Array): void
  setStatus(code: number, message: Uint8Array): void
}

export interface LogCursor extends Record {
  readonly time: Fixed64
  readonly observedTime: Fixed64
  readonly severityNumber: number
  readonly severityText: ByteRange
  readonly body: ValueCursor
  readonly flags: number
  readonly traceId: ByteRange
  readonly spanId: ByteRange
  readonly eventName: ByteRange
  setSeverity(severityNumber: number, text: Uint8Array): void
  setBody(value: EncodedValue): void
}

export type MetricKind = 'none' | 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary'

export interface MetricCursor {
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly kind: MetricKind
  readonly name: ByteRange
  nameText(): string
  readonly description: ByteRange
  readonly unit: ByteRange
  /** 0 unspecified, 1 delta, 2 cumulative; 0 where the kind has none. */
  readonly temporality: number
  readonly monotonic: boolean
  setName(name: Uint8Array): void
  setDescription(description: Uint8Array): void
  setUnit(unit: Uint8Array): void
  /** Leaves the metric out with all its points. */
  drop(): void
}

export interface ExemplarCursor {
  readonly time: Fixed64
  /** Of an int or a double. */
  value(): number
  readonly traceId: ByteRange
  readonly spanId: ByteRange
  readonly attributes: Attributes
}

/** A data point of any of the five kinds; what a kind lacks reads as zero or empty. */
export interface DataPointCursor extends Record {
  readonly metric: MetricCursor
  readonly startTime: Fixed64
  readonly time: Fixed64
  readonly flags: number
  /** Number points: what `value` holds. */
  readonly numberKind: 'none' | 'int' | 'double'
  value(): number
  valueBigint(): bigint
  /** Histograms and summaries. */
  readonly count: Fixed64
  sum(): number | undefined
  min(): number | undefined
  max(): number | undefined
  /** Copies; histogram. */
  bucketCounts(): number[]
  explicitBounds(): number[]
  /** Exponential histogram. */
  readonly scale: number
  readonly zeroCount: Fixed64
  readonly zeroThreshold: number
  positive(): { readonly offset: number; readonly counts: number[] }
  negative(): { readonly offset: number; readonly counts: number[] }
  /** Summary: quantile (0 to 1) and value. */
  quantiles(): { readonly quantile: number; readonly value: number }[]
  readonly exemplars: ChildList<ExemplarCursor>
}
