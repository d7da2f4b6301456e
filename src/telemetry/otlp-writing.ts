import type { Writer } from '../otlp/encode.ts'
import type { OwnResource } from './own-resource.ts'

/** Nanoseconds since the epoch of milliseconds. */
export function nanos(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}

/**
 * An `Export…ServiceRequest` with one resource and one scope, which all signals write alike: `records` writes the scope's
 * content, its fields numbered from 2.
 */
export function writeRequest(writer: Writer, resource: OwnResource, version: string, records: () => void): void {
  writer.reset()
  const resourceRecords = writer.begin(1)
  const body = writer.begin(1)
  for (const [key, value] of Object.entries(resource.attributes)) writer.keyValue(1, key, value)
  writer.end(body)
  const scopeRecords = writer.begin(2)
  const scope = writer.begin(1)
  writer.string(1, SCOPE)
  writer.string(2, version)
  writer.end(scope)
  records()
  writer.end(scopeRecords)
  if (resource.schemaUrl !== '') writer.string(3, resource.schemaUrl)
  writer.end(resourceRecords)
}

/** The instrumentation scope of all that Sluice tells about itself. */
export const SCOPE = 'sluice'
