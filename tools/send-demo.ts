/**
 * `npm run demo`: one small trace, a metric and a log through the real OpenTelemetry SDK, to whatever listens on
 * localhost:4317 (gRPC: the trace) and localhost:4318 (HTTP: metric and log). The SDK's own variables
 * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT point it elsewhere.
 */
import { context, SeverityNumber, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** What an exporter of the SDK looks like from here. Code 0 is success. */
interface Exporter<T> {
  export(items: T, done: (result: { readonly code: number; readonly error?: Error }) => void): void
}

const problems = new Set<string>()

/** The SDK tells failures only to its own diagnostics; this keeps them for the last line. */
function watched<T, E extends Exporter<T>>(exporter: E & Exporter<T>): E {
  const send = exporter.export.bind(exporter)
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) problems.add(result.error?.message || 'the peer did not take it')
      done(result)
    })
  return exporter
}

// Ten seconds of retries are the SDK's default; a person who forgot to start Sluice should not wait that long.
const soon = { timeoutMillis: 3_000 }
const resource = resourceFromAttributes({ 'service.name': 'sdk-demo', 'service.version': '1.0.0' })
const spans = new TracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor({ exporter: watched(new OTLPTraceExporter(soon)) })],
})
const metrics = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: watched(new OTLPMetricExporter(soon)) })],
})
const logs = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: watched(new OTLPLogExporter(soon)) })],
})

const tracer = spans.getTracer('send-demo')
const request = tracer.startSpan('GET /checkout', {
  kind: SpanKind.SERVER,
  attributes: { 'http.request.method': 'GET', 'http.route': '/checkout', 'http.response.status_code': 502 },
})
const inRequest = trace.setSpan(context.active(), request)
tracer
  .startSpan('SELECT cart', { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } }, inRequest)
  .end()
const payment = tracer.startSpan('POST /payment', { kind: SpanKind.CLIENT }, inRequest)
payment.recordException(new Error('card terminal did not answer'))
payment.setStatus({ code: SpanStatusCode.ERROR, message: 'card terminal did not answer' })
payment.end()
request.setStatus({ code: SpanStatusCode.ERROR })
request.end()

metrics.getMeter('send-demo').createCounter('demo.checkouts', { unit: '{checkout}' }).add(1, { outcome: 'failed' })
logs.getLogger('send-demo').emit({
  severityNumber: SeverityNumber.ERROR,
  severityText: 'ERROR',
  body: 'checkout failed: card terminal did not answer',
  context: inRequest,
})

await Promise.allSettled([spans.shutdown(), metrics.shutdown(), logs.shutdown()])
const { traceId } = request.spanContext()
if (problems.size > 0) {
  process.stderr.write(
    `not sent: ${[...problems].join('; ')}\nIs Sluice running? Start it in another terminal: ./sluice run pipelines/quickstart.yaml\n`,
  )
  process.exitCode = 1
} else {
  process.stdout.write(`sent 3 spans, 1 metric and 1 log record of service sdk-demo, trace ${traceId}\n`)
}
