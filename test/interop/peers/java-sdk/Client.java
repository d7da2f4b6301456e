import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.testing.exporter.InMemoryLogRecordExporter;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A client on the OpenTelemetry SDK for Java: makes spans, metrics and log records, and sends the very same to each target.
 *
 * <p>{@code Client none|gzip:grpc|http=HOST:PORT...} prints how many of each it sent to a target, as JSON; ends with 1 where a
 * target did not take them.
 */
public class Client {
  static final Resource RESOURCE = Resource.create(
      Attributes.builder().put("service.name", "java-client").put("process.pid", 4711)
          .put("host.ip", "10.0.0.1", "10.0.0.2").build(),
      "https://opentelemetry.io/schemas/1.37.0");
  static final Attributes ATTRIBUTES = Attributes.builder()
      .put("text", "grüße 🛰").put("empty", "").put("large", 9007199254740993L).put("least", Long.MIN_VALUE)
      .put("half", 0.5).put("yes", true).put("no", false).put("texts", "a", "").put("wholes", 0, -1)
      .put("numbers", 1.0, 2.5).put("switches", true, false).build();
  static final SpanContext LINKED = SpanContext.create("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331",
      TraceFlags.getSampled(), TraceState.builder().put("vendor", "1").build());

  public static void main(String[] args) {
    Collection<SpanData> spans = makeSpans();
    Collection<MetricData> metrics = makeMetrics();
    Collection<LogRecordData> records = makeRecords();
    for (String target : args) {
      // Compression, protocol, host and port.
      String[] parts = target.split("[:=]", 3);
      if (parts[1].equals("grpc")) sendGrpc("http://" + parts[2], parts[0], spans, metrics, records);
      else sendHttp("http://" + parts[2], parts[0], spans, metrics, records);
    }
    System.out.printf("{\"traces\":%d,\"metrics\":%d,\"logs\":%d}%n", spans.size(), metrics.size(), records.size());
    // Threads of the HTTP client would keep the process for a minute.
    System.exit(0);
  }

  static void sendGrpc(String target, String compression, Collection<SpanData> spans, Collection<MetricData> metrics,
      Collection<LogRecordData> records) {
    send(OtlpGrpcSpanExporter.builder().setEndpoint(target).setCompression(compression).build(),
        OtlpGrpcMetricExporter.builder().setEndpoint(target).setCompression(compression).build(),
        OtlpGrpcLogRecordExporter.builder().setEndpoint(target).setCompression(compression).build(), spans, metrics, records);
  }

  static void sendHttp(String target, String compression, Collection<SpanData> spans, Collection<MetricData> metrics,
      Collection<LogRecordData> records) {
    send(OtlpHttpSpanExporter.builder().setEndpoint(target + "/v1/traces").setCompression(compression).build(),
        OtlpHttpMetricExporter.builder().setEndpoint(target + "/v1/metrics").setCompression(compression).build(),
        OtlpHttpLogRecordExporter.builder().setEndpoint(target + "/v1/logs").setCompression(compression).build(), spans, metrics, records);
  }

  static void send(SpanExporter traces, MetricExporter points, LogRecordExporter logs, Collection<SpanData> spans,
      Collection<MetricData> metrics, Collection<LogRecordData> records) {
    taken("traces", traces.export(spans));
    taken("metrics", points.export(metrics));
    taken("logs", logs.export(records));
  }

  static void taken(String signal, CompletableResultCode result) {
    if (result.join(20, TimeUnit.SECONDS).isSuccess()) return;
    System.err.println(signal + " were not taken: " + result.getFailureThrowable());
    System.exit(1);
  }

  /** A trace of two spans with an exception and a link, and a span of another scope. */
  static Collection<SpanData> makeSpans() {
    InMemorySpanExporter memory = InMemorySpanExporter.create();
    SdkTracerProvider provider =
        SdkTracerProvider.builder().setResource(RESOURCE).addSpanProcessor(SimpleSpanProcessor.create(memory)).build();
    Tracer tracer = provider.tracerBuilder("interop").setInstrumentationVersion("1.2.3")
        .setSchemaUrl("https://opentelemetry.io/schemas/1.36.0").build();
    Span parent = tracer.spanBuilder("GET /checkout").setSpanKind(SpanKind.SERVER).setAllAttributes(ATTRIBUTES)
        .addLink(LINKED, Attributes.of(AttributeKey.stringKey("why"), "retry")).startSpan();
    Span child = tracer.spanBuilder("pay").setSpanKind(SpanKind.CLIENT).setParent(Context.root().with(parent)).startSpan();
    child.addEvent("sent", ATTRIBUTES);
    child.recordException(new IllegalStateException("card refused"));
    child.setStatus(StatusCode.ERROR, "card refused");
    child.end();
    parent.setStatus(StatusCode.OK);
    parent.end();
    provider.get("other").spanBuilder("background").startSpan().end();
    return memory.getFinishedSpanItems();
  }

  /** A counter, an up-down counter, a gauge, a histogram and an exponential one, with exemplars. */
  static Collection<MetricData> makeMetrics() {
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    SdkMeterProvider provider = SdkMeterProvider.builder().setResource(RESOURCE).registerMetricReader(reader)
        .registerView(InstrumentSelector.builder().setName("latency.exponential").build(),
            View.builder().setAggregation(Aggregation.base2ExponentialBucketHistogram()).build())
        .build();
    Meter meter = provider.meterBuilder("interop").setInstrumentationVersion("1.2.3").build();
    Context inSpan = Context.root().with(Span.wrap(LINKED));
    meter.counterBuilder("checkouts").setUnit("{checkout}").setDescription("Checkouts begun.").build().add(3, ATTRIBUTES, inSpan);
    meter.upDownCounterBuilder("carts").build().add(-2);
    meter.gaugeBuilder("temperature").setUnit("Cel").build().set(21.5, Attributes.of(AttributeKey.stringKey("room"), "b"));
    for (String name : List.of("latency", "latency.exponential")) {
      var latency = meter.histogramBuilder(name).setUnit("ms").build();
      for (double value : new double[] {0.1, 7, 7, 1200}) {
        latency.record(value, Attributes.of(AttributeKey.stringKey("route"), "/checkout"), inSpan);
      }
    }
    return reader.collectAllMetrics();
  }

  /** A record inside a span, one with a map and one with bytes for a body. */
  static Collection<LogRecordData> makeRecords() {
    InMemoryLogRecordExporter memory = InMemoryLogRecordExporter.create();
    SdkLoggerProvider provider =
        SdkLoggerProvider.builder().setResource(RESOURCE).addLogRecordProcessor(SimpleLogRecordProcessor.create(memory)).build();
    Logger logger = provider.loggerBuilder("interop").setInstrumentationVersion("1.2.3").build();
    record(logger).setContext(Context.root().with(Span.wrap(LINKED))).setSeverity(Severity.ERROR).setSeverityText("ERROR")
        .setBody("card refused").setAllAttributes(ATTRIBUTES).emit();
    record(logger).setEventName("order.placed")
        .setBody(Value.of(java.util.Map.of("items", Value.of(Value.of("a"), Value.of(7), Value.of(true))))).emit();
    record(logger).setBody(Value.of(new byte[] {0, -1, -128})).emit();
    return new ArrayList<>(memory.getFinishedLogRecordItems());
  }

  static LogRecordBuilder record(Logger logger) {
    return logger.logRecordBuilder().setTimestamp(Instant.ofEpochSecond(1_760_000_000, 123_456_789))
        .setObservedTimestamp(Instant.ofEpochSecond(1_760_000_001, 1));
  }
}
