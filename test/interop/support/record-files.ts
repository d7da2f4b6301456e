import { existsSync, readFileSync } from 'node:fs'
import type { PlainObject } from '../../../src/otlp/plain-object.ts'
import { readProtobufjs } from '../../otlp/support/oracles.ts'
import type { Stable } from '../../support/otlp-services.ts'

/**
 * The requests in a file of the `file` exporter, Sluice's or the Collector's, with `format: proto`, or in one that a sink of
 * `peers/` wrote: each behind its length in four big-endian bytes. None where there is no file; a record that is still
 * being written is not read.
 */
export function readRecords(signal: Stable, path: string): PlainObject[] {
  if (!existsSync(path)) return []
  const bytes = readFileSync(path)
  const requests: PlainObject[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    requests.push(readProtobufjs(signal, bytes.subarray(at + 4, end)))
    at = end
  }
  return requests
}
