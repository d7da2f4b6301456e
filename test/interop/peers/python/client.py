"""A client on the OpenTelemetry SDK for Python: makes spans, metrics and log records, and sends the very same to each target.

    client.py none|gzip:grpc|http|json=HOST:PORT...

Prints how many of each it sent to a target, as JSON; ends with 1 where a target did not take them.
"""

import json
import sys

import grpc
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.common.http import Compression as JsonCompression
from opentelemetry.exporter.otlp.json.http import _log_exporter as json_logs
from opentelemetry.exporter.otlp.json.http import metric_exporter as json_metrics
from opentelemetry.exporter.otlp.json.http import trace_exporter as json_traces
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto import http
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

RESOURCE = Resource(
    {"service.name": "python-client", "process.pid": 4711, "host.ip": ["10.0.0.1", "10.0.0.2"]},
    "https://opentelemetry.io/schemas/1.37.0",
)
ATTRIBUTES = {
    "text": "grüße 🛰",
    "empty": "",
    "large": 2**53 + 1,
    "least": -(2**63),
    "half": 0.5,
    "yes": True,
    "no": False,
    "texts": ["a", ""],
    "wholes": [0, -1],
    "numbers": [1.0, 2.5],
}
LINKED = trace.SpanContext(
    0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, trace.TraceFlags(1), trace.TraceState([("vendor", "1")])
)
IN_SPAN = trace.set_span_in_context(trace.NonRecordingSpan(LINKED))


def make_spans():
    """A trace of two spans with an exception and a link, and a span of another scope."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("interop", "1.2.3", "https://opentelemetry.io/schemas/1.36.0", {"scoped": "yes"})
    parent = tracer.start_span(
        "GET /checkout", None, trace.SpanKind.SERVER, ATTRIBUTES, [trace.Link(LINKED, {"why": "retry"})]
    )
    child = tracer.start_span("pay", trace.set_span_in_context(parent), trace.SpanKind.CLIENT)
    child.add_event("sent", ATTRIBUTES)
    child.record_exception(ValueError("card refused"))
    child.set_status(trace.StatusCode.ERROR, "card refused")
    child.end()
    parent.set_status(trace.StatusCode.OK)
    parent.end()
    provider.get_tracer("other").start_span("background").end()
    return memory.get_finished_spans()


def make_metrics():
    """A counter, an up-down counter, a gauge, a histogram and an exponential one, with exemplars."""
    reader = InMemoryMetricReader()
    exponential = View(instrument_name="latency.exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], RESOURCE, views=[exponential])
    meter = provider.get_meter("interop", "1.2.3")
    meter.create_counter("checkouts", "{checkout}", "Checkouts begun.").add(3, ATTRIBUTES, IN_SPAN)
    meter.create_up_down_counter("carts").add(-2)
    meter.create_gauge("temperature", "Cel").set(21.5, {"room": "b"})
    for name in ("latency", "latency.exponential"):
        latency = meter.create_histogram(name, "ms")
        for value in (0.1, 7, 7, 1200):
            latency.record(value, {"route": "/checkout"}, IN_SPAN)
    return reader.get_metrics_data()


def make_records():
    """A record inside a span, one with a map and one with bytes for a body."""
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = provider.get_logger("interop", "1.2.3")
    times = {"timestamp": 1_760_000_000_123_456_789, "observed_timestamp": 1_760_000_001_000_000_001}
    logger.emit(
        **times,
        context=IN_SPAN,
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        body="card refused",
        attributes={**ATTRIBUTES, "nested": {"deep": [{"er": 1}]}},
    )
    logger.emit(**times, body={"order": 7, "items": ["a", {"b": True}]}, event_name="order.placed")
    logger.emit(**times, body=bytes([0, 255, 128]))
    return memory.get_finished_logs()


def exporters(protocol, address, gzip):
    """Those of spans, metrics and log records."""
    if protocol == "grpc":
        compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        options = {"endpoint": f"http://{address}", "insecure": True, "compression": compression}
        return [
            grpc_traces.OTLPSpanExporter(**options),
            grpc_metrics.OTLPMetricExporter(**options),
            grpc_logs.OTLPLogExporter(**options),
        ]
    traces, metrics, logs, none, some = (
        (http_traces, http_metrics, http_logs, http.Compression.NoCompression, http.Compression.Gzip)
        if protocol == "http"
        else (json_traces, json_metrics, json_logs, JsonCompression.NONE, JsonCompression.GZIP)
    )
    options = {"compression": some if gzip else none}
    return [
        traces.OTLPSpanExporter(f"http://{address}/v1/traces", **options),
        metrics.OTLPMetricExporter(f"http://{address}/v1/metrics", **options),
        logs.OTLPLogExporter(f"http://{address}/v1/logs", **options),
    ]


def main(targets):
    spans, metrics, records = make_spans(), make_metrics(), make_records()
    for target in targets:
        how, address = target.split("=")
        compression, protocol = how.split(":")
        for exporter, items in zip(exporters(protocol, address, compression == "gzip"), (spans, metrics, records)):
            result = exporter.export(items)
            if result.name != "SUCCESS":
                sys.exit(f"{target}: {type(exporter).__name__}: {result}")
            exporter.shutdown()
    count = sum(len(scope.metrics) for each in metrics.resource_metrics for scope in each.scope_metrics)
    print(json.dumps({"traces": len(spans), "metrics": count, "logs": len(records)}))


main(sys.argv[1:])
