import { Writer } from '../../src/otlp/encode.ts'
import { id, seeded } from './random.ts'
import { RESOURCES, share, withResource } from './resource.ts'

export interface TraceShape {
  readonly items: number
  /** Bytes a span aims at; its last attribute is padded up to it. */
  readonly itemBytes: number
  readonly seed: number
  /** Over how many resources the spans are spread; 5 if absent. */
  readonly resources?: number
  /** Three more attributes and an event on every span, not only on those that failed. */
  readonly full?: boolean
  /** Share of the spans that carry an e-mail address in one of their values; none if absent. */
  readonly piiShare?: number
}

const ROUTES = ['/cart', '/cart/{id}/items', '/checkout', '/products/{id}', '/orders/{id}/status']
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36'
const START = 1_760_000_000_000_000_000n
const SPANS_PER_TRACE = 8
const FAILED_TRACES = 0.05
const SLOW_TRACES = 0.02

interface Trace {
  readonly id: Uint8Array
  readonly failed: boolean
  readonly slow: boolean
}

/**
 * One serialized ExportTraceServiceRequest. Eight spans make a trace; one trace in twenty fails and one in fifty takes longer than a
 * second. The same shape gives the same bytes.
 */
export function traceRequest(shape: TraceShape): Uint8Array<ArrayBuffer> {
  const { items, itemBytes, resources = RESOURCES } = shape
  const random = seeded(shape.seed)
  const writer = new Writer(items * itemBytes)
  for (let r = 0; r < resources; r++) {
    const spans = share(items, resources, r)
    if (spans === 0) continue
    withResource(writer, r, () => {
      let trace: Trace | undefined
      for (let i = 0; i < spans; i++) {
        if (trace === undefined || i % SPANS_PER_TRACE === 0) {
          trace = { id: id(16, random), failed: random() < FAILED_TRACES, slow: random() < SLOW_TRACES }
        }
        span(writer, i, trace, shape, random)
      }
    })
  }
  return writer.finish()
}

function span(writer: Writer, index: number, trace: Trace, shape: TraceShape, random: () => number): void {
  const { itemBytes, full = false, piiShare = 0 } = shape
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const method = pick(METHODS)
  const route = pick(ROUTES)
  const failed = trace.failed && index % SPANS_PER_TRACE === 0
  const start = START + BigInt(Math.floor(random() * 1e9))
  const lasts = (trace.slow ? 1_000_000_000n : 0n) + BigInt(Math.floor(random() * 2e8))
  const begun = writer.begin(2)
  const from = writer.length
  writer.bytes(1, trace.id)
  writer.bytes(2, id(8, random))
  if (index % SPANS_PER_TRACE !== 0) writer.bytes(4, id(8, random))
  writer.string(5, `${method} ${route}`)
  writer.uint(6, 2 + (index % 2))
  writer.fixed64(7, start)
  writer.fixed64(8, start + lasts)
  writer.keyValue(9, 'http.request.method', method)
  writer.keyValue(9, 'http.route', route)
  writer.keyValue(9, 'http.response.status_code', failed ? 500n : 200n)
  writer.keyValue(9, 'url.scheme', 'https')
  writer.keyValue(9, 'server.address', 'shop.example.com')
  writer.keyValue(9, 'server.port', 443n)
  writer.keyValue(9, 'client.address', `10.${index % 200}.${Math.floor(random() * 250)}.17`)
  writer.keyValue(9, 'network.protocol.version', '2')
  const user = Math.floor(random() * 1e6)
  writer.keyValue(9, 'enduser.id', random() < piiShare ? `user.${user}@example.com` : `user-${user}`)
  writer.keyValue(9, 'retry', random() < 0.1)
  if (full) {
    writer.keyValue(9, 'url.path', route.replace('{id}', '81734'))
    writer.keyValue(9, 'network.transport', 'tcp')
    writer.keyValue(9, 'http.response.body.size', 18_443n)
  }
  if (failed || full) event(writer, start)
  writer.keyValue(9, 'user_agent.original', AGENT)
  writer.fixed32(16, 0x101)
  if (failed) {
    const status = writer.begin(15)
    writer.string(2, 'upstream timed out')
    writer.uint(3, 2)
    writer.end(status)
  }
  // A KeyValue and its value cost about 20 bytes beside the key and the text.
  const missing = itemBytes * (0.85 + random() * 0.3) - (writer.length - from) - 20
  if (full || missing > 0)
    writer.keyValue(9, 'db.query.text', 'select * from orders where '.padEnd(missing, 'id = ? or '))
  writer.end(begun)
}

function event(writer: Writer, time: bigint): void {
  const event = writer.begin(11)
  writer.fixed64(1, time)
  writer.string(2, 'exception')
  writer.keyValue(3, 'exception.type', 'TimeoutError')
  writer.keyValue(3, 'exception.message', 'upstream timed out after 3000 ms')
  writer.end(event)
}
