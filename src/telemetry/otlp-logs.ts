import type { PlainValue } from '../otlp/cursors.ts'
import { Writer } from '../otlp/encode.ts'
import { nanos, writeRequest } from './otlp-writing.ts'
import type { OwnResource } from './own-resource.ts'

// OpenTelemetry's log data model, "SeverityNumber".
const SEVERITY: Readonly<Record<string, number>> = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 }

/** What is no attribute of a record: it has fields of its own, or stands in the request's resource. */
const OWN = new Set(['level', 'ts', 'msg', 'resource'])

/** JSON log lines as an `ExportLogsServiceRequest`; `now` in ms since the epoch is when they were observed. */
export function encodeLogs(lines: readonly string[], resource: OwnResource, version: string, now: number): Uint8Array {
  const writer = new Writer(4096)
  writeRequest(writer, resource, version, () => {
    for (const line of lines) {
      const { level, ts, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
      const record = writer.begin(2)
      const at = Date.parse(String(ts))
      writer.fixed64(1, nanos(Number.isNaN(at) ? now : at))
      writer.uint(2, SEVERITY[String(level)] ?? 0)
      writer.string(3, String(level))
      const body = writer.begin(5)
      writer.anyValue(typeof msg === 'string' ? msg : '')
      writer.end(body)
      for (const [key, value] of Object.entries(fields)) if (!OWN.has(key)) writer.keyValue(6, key, plain(value))
      writer.fixed64(11, nanos(now))
      writer.end(record)
    }
  })
  return writer.finish()
}

/** As OTLP has it: whole numbers are ints. */
function plain(value: unknown): PlainValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
