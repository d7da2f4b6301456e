import { Writer } from './encode.ts'
import type { Layout } from './layout.ts'
import { canonicalise } from './plain.ts'
import { after, readLength, readTag } from './varint.ts'

/**
 * One message of a request in canonical form: the plain path, for the messages that need it and no others. The message is
 * wrapped into a request of its own, since what a message means does not depend on what stands around it.
 */
export function canonicalMessage(layout: Layout, body: Uint8Array): Buffer {
  const writer = new Writer(body.length + layout.path.length * 6)
  const marks = layout.path.map((tag) => writer.begin(tag >> 3))
  writer.raw(body)
  for (const mark of marks.reverse()) writer.end(mark)
  let content = canonicalise(layout.signal, writer.finish())
  for (const _ of layout.path) {
    readTag(content, 0, content.length)
    const length = readLength(content, after, content.length)
    content = content.subarray(after, after + length)
  }
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}
