import type { Signal } from './batch.ts'
import * as grammar from './grammar.ts'
import { usualKeyValue, usualLogRecord, usualNumberDataPoint, usualSpan } from './usual.ts'
import { after, readLength, readTag, readVarint, skipValue } from './varint.ts'
import { WireError } from './wire-error.ts'

// V8 folds a module's own constants into its code but loads imported ones each time: 25 % of this walk.
const {
  GRAMMAR,
  TAGS,
  UNKNOWN,
  VARINT,
  FIXED64,
  FIXED32,
  BYTES,
  PACKED_VARINT,
  PACKED_FIXED64,
  WRONG_WIRE_TYPE,
  MESSAGE,
} = grammar

/**
 * How deep messages may lie in each other, the request included. Most protobuf readers stop at 100, and a request that
 * the next hop refuses takes those it was joined with along.
 */
export const MAX_NESTING = 64

const KEY_VALUE = grammar.messageNumber('KeyValue')
const SPAN = grammar.messageNumber('Span')
const LOG_RECORD = grammar.messageNumber('LogRecord')
const NUMBER_DATA_POINT = grammar.messageNumber('NumberDataPoint')

const ITEMS: Readonly<Record<Signal, readonly number[]>> = {
  traces: [grammar.messageNumber('Span')],
  logs: [grammar.messageNumber('LogRecord')],
  metrics: ['NumberDataPoint', 'HistogramDataPoint', 'ExponentialHistogramDataPoint', 'SummaryDataPoint'].map(
    grammar.messageNumber,
  ),
  profiles: [grammar.messageNumber('Sample')],
}

/** Visits per message since the walk began; a table because what counts as an item differs between signals. */
const visits = new Int32Array(GRAMMAR.length / TAGS)

/**
 * Checks a whole request down to its leaves and returns how many spans, data points, log records or samples it holds.
 *
 * What passes can be joined with other requests, indexed and edited. Unknown fields and invalid UTF-8 pass, and
 * everything that is valid though unusual. Throws WireError with the offset of what is truncated, overlong, of the wrong
 * wire type, nested past `MAX_NESTING`, or a group.
 */
export function validate(signal: Signal, bytes: Uint8Array): number {
  const items = ITEMS[signal]
  for (let i = 0; i < items.length; i++) visits[items[i]!] = 0
  walk(bytes, grammar.REQUEST[signal], 0, bytes.length, MAX_NESTING)
  let sum = 0
  for (let i = 0; i < items.length; i++) sum += visits[items[i]!]!
  return sum
}

/** `depth` is how many levels may still follow, this one included. */
function walk(bytes: Uint8Array, message: number, start: number, end: number, depth: number): void {
  if (depth === 0) throw new WireError(start, `messages are nested more than ${MAX_NESTING} deep`)
  const row = message * TAGS
  visits[message] = visits[message]! + 1
  // A short cut may go on for three levels, so near the limit there is none.
  const short = depth > 3 && (message === SPAN || message === LOG_RECORD || message === NUMBER_DATA_POINT)
  let p = short ? shortCut(bytes, message, start, end) : start
  while (p < end) {
    const at = p
    let tag = bytes[p++]!
    if (tag > 127) {
      tag = readTag(bytes, at, end)
      p = after
    }
    const code = tag < TAGS ? GRAMMAR[row + tag]! : UNKNOWN
    if (code >= BYTES && code !== WRONG_WIRE_TYPE) {
      const lengthAt = p
      let length = p < end ? bytes[p++]! : 128
      if (length > 127) {
        const second = p < end ? bytes[p++]! : 128
        if (second < 128) length = (length & 127) | (second << 7)
        else {
          length = readLength(bytes, lengthAt, end)
          p = after
        }
      }
      if (length > end - p) throw new WireError(at, `a length of ${length} goes past the end of what holds it`)
      const stop = p + length
      if (code >= MESSAGE) {
        const child = code - MESSAGE
        const usual = child === KEY_VALUE && depth > 4 && usualKeyValue(bytes, lengthAt, end) === stop
        if (!usual) walk(bytes, child, p, stop, depth - 1)
      } else if (code !== BYTES) checkPacked(bytes, code, p, stop)
      p = stop
    } else if (code === FIXED64) {
      if (end - p < 8) throw new WireError(at, 'the bytes end inside a 64-bit value')
      p += 8
    } else if (code === VARINT) {
      if (p < end && bytes[p]! < 128) p++
      else {
        readVarint(bytes, p, end)
        p = after
      }
    } else if (code === FIXED32) {
      if (end - p < 4) throw new WireError(at, 'the bytes end inside a 32-bit value')
      p += 4
    } else if (code === UNKNOWN) {
      if (tag < 8) throw new WireError(at, 'a tag is out of range')
      p = skipValue(bytes, tag, p, end)
    } else {
      throw new WireError(at, `field ${tag >> 3} does not have wire type ${tag & 7}`)
    }
    if (short) p = shortCut(bytes, message, p, end)
  }
}

/** How far the short cuts get; the end where the rest of the message is as usual. */
function shortCut(bytes: Uint8Array, message: number, start: number, end: number): number {
  if (message === SPAN) return usualSpan(bytes, start, end)
  return message === LOG_RECORD ? usualLogRecord(bytes, start, end) : usualNumberDataPoint(bytes, start, end)
}

function checkPacked(bytes: Uint8Array, code: number, start: number, end: number): void {
  if (code === PACKED_VARINT) {
    for (let p = start; p < end; p = after) readVarint(bytes, p, end)
  } else if ((end - start) % (code === PACKED_FIXED64 ? 8 : 4) !== 0) {
    throw new WireError(start, 'packed values end inside one of them')
  }
}
