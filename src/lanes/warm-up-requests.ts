import type { Signal } from '../otlp/batch.ts'
import { SHORT_SECONDS } from '../telemetry/boundaries.ts'
import { encodeLogs } from '../telemetry/otlp-logs.ts'
import { OtlpMetrics } from '../telemetry/otlp-metrics.ts'
import { encodeSpans } from '../telemetry/otlp-spans.ts'
import { MeterRegistry } from '../telemetry/registry.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'

/** Records in each request: few enough that one takes far less than a slice. */
const RECORDS = 32

const RESOURCE = {
  attributes: { 'service.name': 'warm-up', 'host.name': 'localhost', 'process.pid': 1 },
  schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
}
const ATTRIBUTES = {
  'http.request.method': 'GET',
  'url.path': '/api/items/17',
  'http.response.status_code': 200,
  'server.address': 'shop.example',
  'user.id': 'u-1234567',
  'db.system': 'postgresql',
  retried: false,
  ratio: 0.25,
}

/** A request of made-up data such as clients send; undefined for a signal that nothing here edits. */
export function warmUpRequest(signal: Signal): Uint8Array | undefined {
  switch (signal) {
    case 'traces':
      return encodeSpans(
        Array.from({ length: RECORDS }, (_, i) => ({
          name: 'GET /api/items/{id}',
          kind: 2,
          traceId: (i + 1).toString(16).padStart(32, '5'),
          spanId: (i + 1).toString(16).padStart(16, '7'),
          startMs: 1,
          durationMs: 1 + i,
          attributes: ATTRIBUTES,
          droppedAttributes: 0,
        })),
        RESOURCE,
        '0',
      )
    case 'logs': {
      const line = JSON.stringify({ level: 'info', msg: 'GET /api/items/17 took 12 ms', ...ATTRIBUTES })
      return encodeLogs(Array(RECORDS).fill(line), RESOURCE, '0', 1)
    }
    case 'metrics':
      return metricsRequest()
    default:
      return undefined
  }
}

function metricsRequest(): Uint8Array {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  const meter = new SharedMeter(memory, registry.attach(memory))
  for (let i = 0; i < RECORDS / 4; i++) {
    const labels = { route: `/api/${i}`, method: 'GET', zone: 'eu-1' }
    meter.counter('http.server.requests', labels, { description: 'Requests.' }).add(i)
    meter.upDownCounter('http.server.active_requests', labels, { description: 'Requests under way.' }).add(i)
    meter.gauge('system.memory.utilization', labels, { description: 'Memory in use.' }).set(i / 10)
    const duration = meter.histogram('http.server.request.duration', labels, {
      description: 'Seconds a request took.',
      boundaries: SHORT_SECONDS,
    })
    for (let value = 1; value < 10; value++) duration.record(value / 100)
  }
  const otlp = new OtlpMetrics({
    resource: RESOURCE,
    version: '0',
    startedAt: 1,
    temporality: 'cumulative',
    histograms: 'explicit_bucket_histogram',
  })
  return otlp.encode(registry.read(), 2).bytes
}
