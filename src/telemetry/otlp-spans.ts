import { Writer } from '../otlp/encode.ts'
import { nanos, writeRequest } from './otlp-writing.ts'
import type { OwnResource } from './own-resource.ts'
import type { FinishedSpan } from './tracer.ts'

const ERROR = 2
/** `SPAN_FLAGS`: sampled, and whether the parent is remote is known (it is where there is one above a server's span). */
const SAMPLED = 0x101

/** Spans as an `ExportTraceServiceRequest`. */
export function encodeSpans(spans: readonly FinishedSpan[], resource: OwnResource, version: string): Uint8Array {
  const writer = new Writer(4096)
  writeRequest(writer, resource, version, () => {
    for (const span of spans) writeSpan(writer, span)
  })
  return writer.finish()
}

function writeSpan(writer: Writer, span: FinishedSpan): void {
  const mark = writer.begin(2)
  writer.bytes(1, Buffer.from(span.traceId, 'hex'))
  writer.bytes(2, Buffer.from(span.spanId, 'hex'))
  if (span.parentSpanId !== undefined) writer.bytes(4, Buffer.from(span.parentSpanId, 'hex'))
  writer.string(5, span.name)
  writer.uint(6, span.kind)
  writer.fixed64(7, nanos(span.startMs))
  writer.fixed64(8, nanos(span.startMs + span.durationMs))
  for (const [key, value] of Object.entries(span.attributes)) {
    writer.keyValue(9, key, typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value)
  }
  if (span.droppedAttributes > 0) writer.uint(10, span.droppedAttributes)
  if (span.error !== undefined) {
    const status = writer.begin(15)
    writer.string(2, span.error)
    writer.uint(3, ERROR)
    writer.end(status)
  }
  writer.fixed32(16, SAMPLED)
  writer.end(mark)
}
