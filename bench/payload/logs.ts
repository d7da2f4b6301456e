import { Writer } from '../../src/otlp/encode.ts'
import { id, seeded } from './random.ts'
import { RESOURCES, share, withResource } from './resource.ts'
import type { TraceShape } from './traces.ts'

const TIME = 1_760_000_000_000_000_000n

/** One serialized ExportLogsServiceRequest: records with a text body, five attributes and the ids of a span. */
export function logsRequest({
  items,
  itemBytes,
  seed,
  resources = RESOURCES,
  piiShare = 0,
}: TraceShape): Uint8Array<ArrayBuffer> {
  const random = seeded(seed)
  const writer = new Writer(items * itemBytes)
  for (let r = 0; r < resources; r++) {
    const records = share(items, resources, r)
    if (records === 0) continue
    withResource(writer, r, () => {
      for (let i = 0; i < records; i++) record(writer, itemBytes, piiShare, random)
    })
  }
  return writer.finish()
}

function record(writer: Writer, itemBytes: number, piiShare: number, random: () => number): void {
  const failed = random() < 0.05
  const time = TIME + BigInt(Math.floor(random() * 1e9))
  const begun = writer.begin(2)
  const from = writer.length
  writer.fixed64(1, time)
  writer.fixed64(11, time + 1_000_000n)
  writer.uint(2, failed ? 17 : 9)
  writer.string(3, failed ? 'ERROR' : 'INFO')
  writer.keyValue(6, 'code.function', 'placeOrder')
  writer.keyValue(6, 'thread.name', `worker-${Math.floor(random() * 16)}`)
  writer.keyValue(6, 'http.response.status_code', failed ? 500n : 200n)
  writer.keyValue(6, 'order.items', BigInt(Math.floor(random() * 9)))
  const user = Math.floor(random() * 1e6)
  writer.keyValue(6, 'enduser.id', random() < piiShare ? `user.${user}@example.com` : `user-${user}`)
  writer.bytes(9, id(16, random))
  writer.bytes(10, id(8, random))
  const text = failed ? 'order failed: upstream timed out' : 'order placed'
  const missing = itemBytes * (0.85 + random() * 0.3) - (writer.length - from) - 6
  const body = writer.begin(5)
  writer.string(1, text.padEnd(missing, ' and another item was added to the cart'))
  writer.end(body)
  writer.end(begun)
}
