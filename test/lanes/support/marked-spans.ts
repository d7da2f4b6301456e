import { arenas } from '../../../src/otlp/arena.ts'
import { type Batch, makeBatch } from '../../../src/otlp/batch.ts'
import { Writer } from '../../../src/otlp/encode.ts'
import { TraceEditor } from '../../../src/otlp/trace-editor.ts'

/** A span that says where it comes from: the trace it belongs to, the lane that brought it in, its number there. */
export interface Mark {
  readonly trace: number
  readonly lane: number
  readonly number: number
}

/** A batch of such spans in pooled memory, one resource and a scope around them. */
export function markedBatch(marks: readonly Mark[]): Batch {
  const writer = new Writer(marks.length * 200 + 100)
  const resource = writer.begin(1)
  const scope = writer.begin(2)
  for (const { trace, lane, number } of marks) {
    const span = writer.begin(2)
    const traceId = new Uint8Array(16).fill(1)
    new DataView(traceId.buffer).setUint32(12, trace)
    writer.bytes(1, traceId)
    const spanId = new Uint8Array(8)
    const view = new DataView(spanId.buffer)
    view.setUint32(0, lane + 1)
    view.setUint32(4, number)
    writer.bytes(2, spanId)
    writer.bytes(5, PADDING)
    writer.end(span)
  }
  writer.end(scope)
  writer.end(resource)
  const written = writer.finish()
  const bytes = arenas.take(written.byteLength)
  bytes.set(written)
  return makeBatch('traces', [bytes], marks.length, { arrivedAt: 1, transport: 'test' })
}

/** Makes the batches larger than what is too small to be pooled. */
const PADDING = new Uint8Array(100).fill(120)

const editor = new TraceEditor()

export function marksOf({ chunks }: Batch): Mark[] {
  const marks: Mark[] = []
  for (const chunk of chunks) {
    editor.open(chunk)
    while (editor.nextResource()) {
      while (editor.nextScope()) {
        while (editor.nextRecord()) {
          const { traceId, spanId } = editor.span
          const ids = new DataView(spanId.buffer.buffer, spanId.buffer.byteOffset + spanId.start, 8)
          marks.push({
            trace: Buffer.from(traceId.buffer).readUInt32BE(traceId.start + 12),
            lane: ids.getUint32(0) - 1,
            number: ids.getUint32(4),
          })
        }
      }
    }
    editor.finish()
  }
  return marks
}
