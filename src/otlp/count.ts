import type { Signal } from './batch.ts'
import { PATHS } from './paths.ts'
import { after, readLength, readTag, skipValue } from './varint.ts'

/**
 * How many spans, data points, log records or profile samples a request holds, without looking into them. Throws
 * WireError where the levels above them are malformed.
 */
export function countItems(signal: Signal, bytes: Uint8Array): number {
  return count(bytes, 0, bytes.length, PATHS[signal], 0)
}

/**
 * The same for a part of a request: `bytes[start, end)` is the content of a message `level` levels below it (1 a ResourceSpans,
 * 2 a ScopeSpans; 3 a Metric, 4 its data).
 */
export function countBelow(signal: Signal, level: number, bytes: Uint8Array, start: number, end: number): number {
  return count(bytes, start, end, PATHS[signal], level)
}

function count(
  bytes: Uint8Array,
  start: number,
  end: number,
  path: readonly (readonly number[])[],
  level: number,
): number {
  const tags = path[level]!
  const only = tags.length === 1 ? tags[0]! : -1
  const leaf = level === path.length - 1
  let items = 0
  let p = start
  while (p < end) {
    let tag = bytes[p]!
    if (tag < 128) {
      p++
    } else {
      tag = readTag(bytes, p, end)
      p = after
    }
    if ((tag & 7) !== 2) {
      p = skipValue(bytes, tag, p, end)
      continue
    }
    const length = readLength(bytes, p, end)
    const stop = after + length
    if (tag === only || (only < 0 && tags.includes(tag))) {
      items += leaf ? 1 : count(bytes, after, stop, path, level + 1)
    }
    p = stop
  }
  return items
}
