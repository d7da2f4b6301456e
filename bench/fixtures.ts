/**
 * Trace requests for the benches: seeded, so that every run and every engine gets the same bytes. Spans look like those of
 * a web shop's services (semantic-convention attributes, some events, some errors) and weigh 500 to 800 bytes unless asked otherwise.
 */
import { Writer } from '../src/otlp/encode.ts'

export interface RequestShape {
  readonly spans: number
  /** Bytes a span aims at; its last attribute is padded up to it. */
  readonly spanBytes: number
  readonly seed: number
  /** Over how many resources the spans are spread; 5 if absent. */
  readonly resources?: number
  /** Three more attributes and an event on every span, not only on those that failed. */
  readonly full?: boolean
}

const SERVICES = ['frontend', 'checkout', 'payment', 'inventory', 'shipping']
const ROUTES = ['/cart', '/cart/{id}/items', '/checkout', '/products/{id}', '/orders/{id}/status']
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36'
const START = 1_760_000_000_000_000_000n

/** One serialized ExportTraceServiceRequest. */
export function traceRequest(shape: RequestShape): Uint8Array {
  const { spans, spanBytes, seed, resources = SERVICES.length } = shape
  const random = mulberry32(seed)
  const writer = new Writer(spans * spanBytes)
  for (let r = 0; r < resources; r++) {
    const share = Math.floor(spans / resources) + (r < spans % resources ? 1 : 0)
    if (share > 0) resourceSpans(writer, r, share, shape, random)
  }
  return writer.finish()
}

function resourceSpans(writer: Writer, index: number, spans: number, shape: RequestShape, random: () => number): void {
  const service = SERVICES[index]!
  const resourceSpans = writer.begin(1)
  const resource = writer.begin(1)
  writer.keyValue(1, 'service.name', service)
  writer.keyValue(1, 'service.namespace', 'shop')
  writer.keyValue(1, 'service.version', `1.${index}.0`)
  writer.keyValue(1, 'service.instance.id', `${service}-7d9f8b6c5-${index}x2lp`)
  writer.keyValue(1, 'host.name', `node-${index}.eu-west-1.internal`)
  writer.keyValue(1, 'telemetry.sdk.language', 'nodejs')
  writer.end(resource)
  const scopeSpans = writer.begin(2)
  const scope = writer.begin(1)
  writer.string(1, '@opentelemetry/instrumentation-http')
  writer.string(2, '0.207.0')
  writer.end(scope)
  for (let i = 0; i < spans; i++) span(writer, i, shape, random)
  writer.end(scopeSpans)
  writer.end(resourceSpans)
}

function span(writer: Writer, index: number, { spanBytes, full = false }: RequestShape, random: () => number): void {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const method = pick(METHODS)
  const route = pick(ROUTES)
  const failed = random() < 0.05
  const start = START + BigInt(Math.floor(random() * 1e9))
  const begun = writer.begin(2)
  const from = writer.length
  writer.bytes(1, id(16, random))
  writer.bytes(2, id(8, random))
  if (index % 8 !== 0) writer.bytes(4, id(8, random))
  writer.string(5, `${method} ${route}`)
  writer.uint(6, 2 + (index % 2))
  writer.fixed64(7, start)
  writer.fixed64(8, start + BigInt(Math.floor(random() * 5e8)))
  writer.keyValue(9, 'http.request.method', method)
  writer.keyValue(9, 'http.route', route)
  writer.keyValue(9, 'http.response.status_code', failed ? 500n : 200n)
  writer.keyValue(9, 'url.scheme', 'https')
  writer.keyValue(9, 'server.address', 'shop.example.com')
  writer.keyValue(9, 'server.port', 443n)
  writer.keyValue(9, 'client.address', `10.${index % 200}.${Math.floor(random() * 250)}.17`)
  writer.keyValue(9, 'network.protocol.version', '2')
  writer.keyValue(9, 'enduser.id', `user-${Math.floor(random() * 1e6)}`)
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
  const missing = spanBytes * (0.85 + random() * 0.3) - (writer.length - from) - 20
  if (missing > 0) writer.keyValue(9, 'db.query.text', 'select * from orders where '.padEnd(missing, 'id = ? or '))
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

function id(length: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length }, () => random() * 256)
}

/** A small seeded generator; good enough to spread bytes, nothing else. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
