// A client on the OpenTelemetry SDK for Go: makes spans, metrics and log records, and sends the very same to each target.
//
//	client none|gzip:grpc|http|json=HOST:PORT...
//
// json is HTTP with JSON for spans; the SDK's exporters of metrics and log records speak protobuf only.
// Prints how many of each it sent to a target, as JSON; ends with 1 where a target did not take them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

var (
	res = resource.NewWithAttributes("https://opentelemetry.io/schemas/1.37.0",
		attribute.String("service.name", "go-client"), attribute.Int("process.pid", 4711),
		attribute.StringSlice("host.ip", []string{"10.0.0.1", "10.0.0.2"}))
	attributes = []attribute.KeyValue{
		attribute.String("text", "grüße 🛰"), attribute.String("empty", ""), attribute.Int64("large", 9007199254740993),
		attribute.Int64("least", -1<<63), attribute.Float64("half", 0.5), attribute.Bool("yes", true),
		attribute.Bool("no", false), attribute.StringSlice("texts", []string{"a", ""}),
		attribute.Int64Slice("wholes", []int64{0, -1}), attribute.Float64Slice("numbers", []float64{1, 2.5}),
	}
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(targets []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	spans, metrics, records := makeSpans(ctx), makeMetrics(ctx), makeRecords(ctx)
	for _, target := range targets {
		how, address, _ := strings.Cut(target, "=")
		compression, protocol, _ := strings.Cut(how, ":")
		var err error
		switch protocol {
		case "grpc":
			err = sendGRPC(ctx, address, compression, spans, metrics, records)
		case "http":
			err = sendHTTP(ctx, address, otlptracehttp.EncodingProtobuf, compression == "gzip", spans, metrics, records)
		case "json":
			err = sendHTTP(ctx, address, otlptracehttp.EncodingJSON, compression == "gzip", spans, metrics, records)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	count := 0
	for _, scope := range metrics.ScopeMetrics {
		count += len(scope.Metrics)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]int{"traces": len(spans), "metrics": count, "logs": len(records)})
}

func sendGRPC(ctx context.Context, target, compression string, spans []sdktrace.ReadOnlySpan, metrics *metricdata.ResourceMetrics, records []sdklog.Record) error {
	if compression == "none" {
		compression = ""
	}
	traces, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(target), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor(compression))
	if err != nil {
		return err
	}
	points, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(target), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithCompressor(compression))
	if err != nil {
		return err
	}
	logs, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(target), otlploggrpc.WithInsecure(), otlploggrpc.WithCompressor(compression))
	if err != nil {
		return err
	}
	return send(ctx, traces, points, logs, spans, metrics, records)
}

func sendHTTP(ctx context.Context, target string, encoding otlptracehttp.Encoding, gzip bool, spans []sdktrace.ReadOnlySpan, metrics *metricdata.ResourceMetrics, records []sdklog.Record) error {
	ofTraces, ofMetrics, ofLogs := otlptracehttp.NoCompression, otlpmetrichttp.NoCompression, otlploghttp.NoCompression
	if gzip {
		ofTraces, ofMetrics, ofLogs = otlptracehttp.GzipCompression, otlpmetrichttp.GzipCompression, otlploghttp.GzipCompression
	}
	traces, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(target), otlptracehttp.WithInsecure(), otlptracehttp.WithCompression(ofTraces), otlptracehttp.WithEncoding(encoding))
	if err != nil {
		return err
	}
	points, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(target), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithCompression(ofMetrics))
	if err != nil {
		return err
	}
	logs, err := otlploghttp.New(ctx, otlploghttp.WithEndpoint(target), otlploghttp.WithInsecure(), otlploghttp.WithCompression(ofLogs))
	if err != nil {
		return err
	}
	return send(ctx, traces, points, logs, spans, metrics, records)
}

func send(ctx context.Context, traces *otlptrace.Exporter, points sdkmetric.Exporter, logs sdklog.Exporter, spans []sdktrace.ReadOnlySpan, metrics *metricdata.ResourceMetrics, records []sdklog.Record) error {
	err := errors.Join(traces.ExportSpans(ctx, spans), points.Export(ctx, metrics), logs.Export(ctx, records))
	return errors.Join(err, traces.Shutdown(ctx), points.Shutdown(ctx), logs.Shutdown(ctx))
}

var linked = trace.NewSpanContext(trace.SpanContextConfig{
	TraceID: trace.TraceID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c},
	SpanID:  trace.SpanID{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}, TraceFlags: trace.FlagsSampled,
})

// A trace of two spans with an exception and a link, and a span of another scope.
func makeSpans(ctx context.Context) []sdktrace.ReadOnlySpan {
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSyncer(memory))
	tracer := provider.Tracer("interop", trace.WithInstrumentationVersion("1.2.3"), trace.WithSchemaURL("https://opentelemetry.io/schemas/1.36.0"),
		trace.WithInstrumentationAttributes(attribute.String("scoped", "yes")))
	inParent, parent := tracer.Start(ctx, "GET /checkout", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...),
		trace.WithLinks(trace.Link{SpanContext: linked, Attributes: attributes[:1]}))
	_, child := tracer.Start(inParent, "pay", trace.WithSpanKind(trace.SpanKindClient))
	child.AddEvent("sent", trace.WithAttributes(attributes...))
	child.RecordError(errors.New("card refused"))
	child.SetStatus(codes.Error, "card refused")
	child.End()
	parent.SetStatus(codes.Ok, "")
	parent.End()
	_, other := provider.Tracer("other").Start(ctx, "background")
	other.End()
	return memory.GetSpans().Snapshots()
}

// A counter, an up-down counter, a gauge, a histogram and an exponential one, with exemplars where a span is sampled.
func makeMetrics(ctx context.Context) *metricdata.ResourceMetrics {
	reader := sdkmetric.NewManualReader()
	exponential := sdkmetric.NewView(sdkmetric.Instrument{Name: "latency.exponential"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 10}})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(reader), sdkmetric.WithView(exponential))
	meter := provider.Meter("interop", metric.WithInstrumentationVersion("1.2.3"))
	inSpan := trace.ContextWithSpanContext(ctx, linked)
	counter, _ := meter.Int64Counter("checkouts", metric.WithUnit("{checkout}"), metric.WithDescription("Checkouts begun."))
	counter.Add(inSpan, 3, metric.WithAttributes(attributes...))
	carts, _ := meter.Int64UpDownCounter("carts")
	carts.Add(ctx, -2)
	temperature, _ := meter.Float64Gauge("temperature", metric.WithUnit("Cel"))
	temperature.Record(ctx, 21.5, metric.WithAttributes(attribute.String("room", "b")))
	for _, name := range []string{"latency", "latency.exponential"} {
		latency, _ := meter.Float64Histogram(name, metric.WithUnit("ms"))
		for _, value := range []float64{0.1, 7, 7, 1200} {
			latency.Record(inSpan, value, metric.WithAttributes(attribute.String("route", "/checkout")))
		}
	}
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		panic(err)
	}
	return &collected
}

type keeper struct{ records []sdklog.Record }

func (k *keeper) Export(_ context.Context, records []sdklog.Record) error {
	for _, record := range records {
		k.records = append(k.records, record.Clone())
	}
	return nil
}
func (*keeper) Shutdown(context.Context) error   { return nil }
func (*keeper) ForceFlush(context.Context) error { return nil }

// A record inside a span, one with a map and one with bytes for a body.
func makeRecords(ctx context.Context) []sdklog.Record {
	kept := &keeper{}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewSimpleProcessor(kept)))
	logger := provider.Logger("interop", log.WithInstrumentationVersion("1.2.3"))
	emit := func(ctx context.Context, body attribute.Value, more func(*log.Record)) {
		var record log.Record
		record.SetTimestamp(time.Unix(1_760_000_000, 123_456_789))
		record.SetObservedTimestamp(time.Unix(1_760_000_001, 1))
		record.SetBody(body)
		more(&record)
		logger.Emit(ctx, record)
	}
	emit(trace.ContextWithSpanContext(ctx, linked), attribute.StringValue("card refused"), func(record *log.Record) {
		record.SetSeverity(log.SeverityError)
		record.SetSeverityText("ERROR")
		record.AddAttributes(attributes...)
	})
	order := attribute.MapValue(attribute.Int("order", 7),
		attribute.Slice("items", attribute.StringValue("a"), attribute.MapValue(attribute.Bool("b", true))))
	emit(ctx, order, func(record *log.Record) { record.SetEventName("order.placed") })
	emit(ctx, attribute.ByteSliceValue([]byte{0, 255, 128}), func(*log.Record) {})
	return kept.records
}
