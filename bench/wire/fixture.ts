import { createRequire } from 'node:module'

interface Codec {
  decode(bytes: Uint8Array): TraceMessage
  encode(message: object): { finish(): Uint8Array }
}

/** What the measurements touch of protobufjs' object tree. */
export interface TraceMessage {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly { attributes: { key: string; value: Record<string, unknown> }[] }[]
    }[]
  }[]
}

const root = createRequire(import.meta.url)('otlp-transformer-with-decoder/build/src/generated/root.js') as {
  opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: Codec } } } } }
}

/** protobufjs' static code for OTLP: the encoder of the fixtures and the peer that the fast path is measured against. */
export const { ExportTraceServiceRequest } = root.opentelemetry.proto.collector.trace.v1

/** mulberry32: small, seeded, good enough to vary lengths and bits. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const ROUTES = ['/cart', '/cart/{id}/items', '/checkout', '/products/{sku}', '/users/{id}/orders', '/recommendations']
const HOSTS = ['frontend', 'checkout', 'payment', 'catalogue', 'shipping']

/** One request: `spans` server spans of 500 to 800 bytes under one resource and `scopes` scopes. */
export function traceRequest(spans: number, seed = 1, scopes = 3): Uint8Array {
  const random = seeded(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256))
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
  const span = () => {
    const start = 1_700_000_000_000_000_000n + BigInt(Math.floor(random() * 1e12))
    const route = pick(ROUTES)
    return {
      traceId: bytes(16),
      spanId: bytes(8),
      parentSpanId: bytes(8),
      name: `GET ${route}`,
      kind: 2,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + BigInt(Math.floor(random() * 1e9))),
      attributes: [
        text('http.request.method', 'GET'),
        text('http.route', route),
        text('url.full', `https://shop.example.com${route}?session=${Math.floor(random() * 1e12).toString(36)}`),
        { key: 'http.response.status_code', value: { intValue: pick([200, 200, 200, 404, 500]) } },
        text('server.address', `${pick(HOSTS)}.shop.svc.cluster.local`),
        { key: 'server.port', value: { intValue: 8080 } },
        text('user.id', `user-${Math.floor(random() * 1e9)}`),
        text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'),
        { key: 'app.cart.total', value: { doubleValue: random() * 500 } },
        { key: 'app.retry', value: { boolValue: random() < 0.1 } },
        text('session.id', Math.floor(random() * 1e15).toString(36)),
        ...(random() < 0.5 ? [text('app.note', 'x'.repeat(Math.floor(random() * 200)))] : []),
      ],
      status: random() < 0.05 ? { code: 2, message: 'upstream timed out' } : {},
      flags: 257,
    }
  }
  const message = {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', pick(HOSTS)), text('k8s.pod.name', 'frontend-7d9c5bff4-x2x7q')] },
        scopeSpans: Array.from({ length: scopes }, (_, scope) => ({
          scope: { name: `@shop/instrumentation-${scope}`, version: '1.4.2' },
          spans: Array.from({ length: Math.floor((spans + scope) / scopes) }, span),
        })),
      },
    ],
  }
  return ExportTraceServiceRequest.encode(message).finish()
}
