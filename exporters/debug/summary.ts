import type { Batch, Signal } from '../../src/otlp/batch.ts'
import { after, readTag, skipValue } from '../../src/otlp/varint.ts'

const ITEMS: Readonly<Record<Signal, readonly [one: string, many: string]>> = {
  traces: ['span', 'spans'],
  metrics: ['data point', 'data points'],
  logs: ['log record', 'log records'],
  profiles: ['sample', 'samples'],
}
/** Field 1 of every request, length-delimited. */
const RESOURCE_TAG = 10

/** `traces: 120 spans, 3 resources`. Reads only the outermost level of the bytes. */
export function summary(batch: Batch): string {
  let resources = 0
  for (const chunk of batch.chunks) resources += countResources(chunk)
  return `${batch.signal}: ${count(batch.items, ITEMS[batch.signal])}, ${count(resources, ['resource', 'resources'])}`
}

function countResources(chunk: Uint8Array): number {
  let found = 0
  for (let at = 0; at < chunk.length; ) {
    const tag = readTag(chunk, at, chunk.length)
    if (tag === RESOURCE_TAG) found++
    at = skipValue(chunk, tag, after, chunk.length)
  }
  return found
}

function count(n: number, [one, many]: readonly [string, string]): string {
  return `${n} ${n === 1 ? one : many}`
}
