/** Telemetry that the real SDK makes, held in memory so that several exporters can send the very same. */
import { context, SeverityNumber, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const resource = resourceFromAttributes({
  'service.name': 'sdk-interop',
  'service.version': '1.0.0',
  'process.pid': 4711,
  'host.ip': ['10.0.0.1', '10.0.0.2'],
})
const ATTRIBUTES = { text: 'grüße 🛰', whole: 42, half: 0.5, yes: true, texts: ['a', 'b'], numbers: [1, 2.5], empty: '' }

/** A trace of two spans with an exception, a link and a state; and a span of another scope. */
export async function makeSpans(): Promise<ReadableSpan[]> {
  const memory = new InMemorySpanExporter()
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] })
  const tracer = provider.getTracer('interop', '1.2.3')
  const linked = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  }
  const parent = tracer.startSpan('GET /checkout', {
    kind: SpanKind.SERVER,
    attributes: ATTRIBUTES,
    links: [{ context: linked, attributes: { why: 'retry' } }],
  })
  const child = tracer.startSpan('pay', { kind: SpanKind.CLIENT }, trace.setSpan(context.active(), parent))
  child.addEvent('sent', ATTRIBUTES)
  child.recordException(new Error('card refused'))
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'card refused' })
  child.end()
  parent.end()
  provider.getTracer('other').startSpan('background').end()
  const spans = memory.getFinishedSpans()
  // Shutting down empties the exporter's own list.
  const kept = [...spans]
  await provider.shutdown()
  return kept
}

/** A counter, an up-down counter, a gauge, a histogram and an exponential histogram. */
export async function makeMetrics(): Promise<ResourceMetrics> {
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const provider = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 3_600_000 })],
    views: [{ instrumentName: 'latency.exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  })
  const meter = provider.getMeter('interop', '1.2.3')
  meter.createCounter('checkouts', { unit: '{checkout}', description: 'Checkouts begun.' }).add(3, ATTRIBUTES)
  meter.createUpDownCounter('carts').add(-2)
  meter.createGauge('temperature', { unit: 'Cel' }).record(21.5, { room: 'b' })
  for (const name of ['latency', 'latency.exponential']) {
    const histogram = meter.createHistogram(name, { unit: 'ms' })
    for (const value of [0.1, 7, 7, 1200]) histogram.record(value, { route: '/checkout' })
  }
  await provider.forceFlush()
  const [collected] = memory.getMetrics()
  await provider.shutdown()
  if (collected === undefined) throw new Error('the SDK collected no metrics')
  return collected
}

/** Records with a text, a map and a number for a body, one of them inside a span. */
export async function makeLogs(): Promise<ReadableLogRecord[]> {
  const memory = new InMemoryLogRecordExporter()
  const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: memory })] })
  const logger = provider.getLogger('interop', '1.2.3')
  const inSpan = trace.setSpanContext(context.active(), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  })
  logger.emit({
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: 'card refused',
    attributes: { ...ATTRIBUTES, nested: { deep: [{ er: 1 }] } },
    context: inSpan,
  })
  logger.emit({ body: { order: 7, items: ['a', { b: true }] }, eventName: 'order.placed' })
  logger.emit({ body: 12.5 })
  const kept = [...memory.getFinishedLogRecords()]
  await provider.shutdown()
  return kept
}

/** What the SDK's exporters have in common. */
export interface SdkExporter<T> {
  export(items: T, done: (result: { readonly code: number; readonly error?: Error }) => void): void
  shutdown(): Promise<void>
}

/** Sends by one exporter and ends it; throws why it failed. */
export async function sendAll<T>(exporter: SdkExporter<T>, items: T): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    exporter.export(items, ({ code, error }) => {
      if (code === 0) resolve()
      else reject(error ?? new Error('the exporter failed without a reason'))
    })
  })
  await exporter.shutdown()
}
