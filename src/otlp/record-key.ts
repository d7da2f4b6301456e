import type { Signal } from './batch.ts'
import { hashBytes, hashPair } from './hash.ts'
import { hashAttributes, hashValueOf, NO_VALUE } from './identity.ts'
import * as varint from './varint.ts'

/**
 * What keeps records together, as a hash. Told of each resource, scope and metric before what is in it; the ranges are contents of
 * ResourceSpans, ScopeSpans and the like, with everything that is below them.
 */
export interface RecordKey {
  resource?(bytes: Uint8Array, start: number, end: number): void
  scope?(bytes: Uint8Array, start: number, end: number): void
  metric?(bytes: Uint8Array, start: number, end: number): void
  /**
   * A hash (`hashBytes`) of the key of the record that is `bytes[start, end)`, or `NO_KEY`. `data` is the tag of the data that a
   * point is in.
   */
  record(bytes: Uint8Array, start: number, end: number, data: number): number
}

/** Of a record that has no key, and may be anywhere. */
export const NO_KEY: number = NO_VALUE

/** Signals whose records have keys. */
export type KeyedSignal = Exclude<Signal, 'profiles'>

const SPAN_TRACE_ID = 10
const LOG_TRACE_ID = 74

/**
 * Keeps a trace together. Log records without a trace id have no key. Of a span that has two, which protobuf allows and nobody
 * writes, the first counts.
 */
export function traceKey(signal: 'traces' | 'logs'): RecordKey {
  const tag = signal === 'traces' ? SPAN_TRACE_ID : LOG_TRACE_ID
  return {
    record(bytes, start, end) {
      // Every SDK writes a span's trace id first.
      if (bytes[start] === SPAN_TRACE_ID && bytes[start + 1] === 16 && tag === SPAN_TRACE_ID && end - start >= 18) {
        return hashBytes(bytes, start + 2, start + 18)
      }
      field(bytes, start, end, tag)
      return fieldEnd === fieldStart ? NO_KEY : hashBytes(bytes, fieldStart, fieldEnd)
    },
  }
}

/** The trace id of a span or log record, 16 characters of a byte each; empty where it has none. */
export function traceIdOf(signal: 'traces' | 'logs', bytes: Uint8Array, start: number, end: number): string {
  field(bytes, start, end, signal === 'traces' ? SPAN_TRACE_ID : LOG_TRACE_ID)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', fieldStart, fieldEnd)
}

/** Tags of the attributes of a span, a log record and of data points, by the tag of their data. */
const ATTRIBUTES = { traces: 74, logs: 50 } as const
const HISTOGRAM = 74
const EXPONENTIAL_HISTOGRAM = 82

function pointAttributes(data: number): number {
  return data === HISTOGRAM ? 74 : data === EXPONENTIAL_HISTOGRAM ? 10 : 58
}

/**
 * Keeps the points of a series together: attributes of its resource, name of its scope, name of the metric, attributes of the point. What
 * else may tell two series apart (versions, units) does not count: those two are in the same place then.
 */
export function seriesKey(): RecordKey {
  let resourceHash = 0
  let scopeHash = 0
  let metricHash = 0
  return {
    resource(bytes, start, end) {
      resourceHash = hashOwner(bytes, start, end)
    },
    scope(bytes, start, end) {
      scopeHash = hashPair(resourceHash, 0)
      // Field 1 of ScopeMetrics is the scope, which may come in several parts; field 1 of that its name.
      for (let p = start; nextField(bytes, p, end, 10); ) {
        const from = fieldStart
        p = fieldEnd
        field(bytes, from, p, 10)
        if (fieldEnd > fieldStart) scopeHash = hashBytes(bytes, fieldStart, fieldEnd, resourceHash)
      }
    },
    metric(bytes, start, end) {
      field(bytes, start, end, 10)
      metricHash = hashBytes(bytes, fieldStart, fieldEnd, scopeHash)
    },
    record: (bytes, start, end, data) => hashPair(metricHash, hashAttributes(bytes, start, end, pointAttributes(data))),
  }
}

/** Keeps together what comes from one resource: an instance of a service. */
export function resourceKey(): RecordKey {
  let hash = 0
  return {
    resource(bytes, start, end) {
      hash = hashPair(hashOwner(bytes, start, end), 0)
    },
    record: () => hash,
  }
}

/**
 * Keeps together records that have the same values of these attributes; where a record lacks one, the value of its resource counts. One
 * that has none of them anywhere has no key.
 */
export function attributesKey(signal: KeyedSignal, names: readonly string[]): RecordKey {
  const keys = names.map((name) => new TextEncoder().encode(name))
  const ofResource = keys.map(() => NO_VALUE)
  return {
    resource(bytes, start, end) {
      ofResource.fill(NO_VALUE)
      for (let i = 0; i < keys.length; i++) {
        for (let p = start; nextField(bytes, p, end, 10); p = fieldEnd) {
          const hash = hashValueOf(bytes, fieldStart, fieldEnd, 10, keys[i]!)
          if (hash !== NO_VALUE && ofResource[i] === NO_VALUE) ofResource[i] = hash
        }
      }
    },
    record(bytes, start, end, data) {
      const tag = signal === 'metrics' ? pointAttributes(data) : ATTRIBUTES[signal]
      let hash = NO_KEY
      for (let i = 0; i < keys.length; i++) {
        let value = hashValueOf(bytes, start, end, tag, keys[i]!)
        if (value === NO_VALUE) value = ofResource[i]!
        if (value !== NO_VALUE) hash = hashPair(hash | 0, value, i)
      }
      return hash
    },
  }
}

/** Hash of the attributes of a resource, which may come in several parts: all of them count. */
function hashOwner(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  for (let p = start; nextField(bytes, p, end, 10); p = fieldEnd) {
    sum = (sum + hashAttributes(bytes, fieldStart, fieldEnd, 10)) | 0
  }
  return sum
}

/** Content of the field that was looked for last; nothing where it was not there. */
let fieldStart = 0
let fieldEnd = 0

/** Finds the last LEN field with this tag, which is the one that counts. */
function field(bytes: Uint8Array, start: number, end: number, tag: number): void {
  let foundStart = start
  let foundEnd = start
  for (let p = start; nextField(bytes, p, end, tag); p = fieldEnd) {
    foundStart = fieldStart
    foundEnd = fieldEnd
  }
  fieldStart = foundStart
  fieldEnd = foundEnd
}

/** Finds the next LEN field with this tag; false where there is none. */
function nextField(bytes: Uint8Array, start: number, end: number, tag: number): boolean {
  for (let p = start; p < end; ) {
    let found = bytes[p]!
    if (found < 128) p++
    else {
      found = varint.readTag(bytes, p, end)
      p = varint.after
    }
    if (found === tag) {
      const length = varint.readLength(bytes, p, end)
      fieldStart = varint.after
      fieldEnd = fieldStart + length
      return true
    }
    p = varint.skipValue(bytes, found, p, end)
  }
  return false
}
