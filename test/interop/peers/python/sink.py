"""A sink on grpcio and Python's own HTTP server: takes OTLP and appends what it read to files.

    sink.py FOLDER

Prints `listening GRPC_PORT HTTP_PORT` once it does. A request with the header `x-case: NAME` goes into
`FOLDER/NAME.SIGNAL.bin`, as protobuf writes it again, behind its length in four bytes, big-endian; by HTTP its encoding goes
into `FOLDER/NAME.SIGNAL.encoding`.
"""

import gzip
import sys
import zlib
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

import cramjam
import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

FOLDER = Path(sys.argv[1])
LOCK = Lock()
DECODERS = {
    "none": bytes,
    "gzip": gzip.decompress,
    "zlib": zlib.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda body: bytes(cramjam.zstd.decompress(body)),
    "snappy": lambda body: bytes(cramjam.snappy.decompress_raw(body)),
    "x-snappy-framed": lambda body: bytes(cramjam.snappy.decompress(body)),
    "lz4": lambda body: bytes(cramjam.lz4.decompress(body)),
}


def append(case, signal, ending, content):
    with LOCK, open(FOLDER / f"{case}.{signal}.{ending}", "ab") as file:
        file.write(content)


def keep(case, signal, message):
    content = message.SerializeToString()
    append(case, signal, "bin", len(content).to_bytes(4, "big") + content)


def service(base, signal, response):
    def export(_, request, context):
        keep(dict(context.invocation_metadata()).get("x-case", "none"), signal, request)
        return response()

    return type(base.__name__, (base,), {"Export": export})()


SERVICES = {
    "traces": (
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2.ExportTraceServiceResponse,
        trace_service_pb2_grpc.TraceServiceServicer,
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server,
    ),
    "metrics": (
        metrics_service_pb2.ExportMetricsServiceRequest,
        metrics_service_pb2.ExportMetricsServiceResponse,
        metrics_service_pb2_grpc.MetricsServiceServicer,
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server,
    ),
    "logs": (
        logs_service_pb2.ExportLogsServiceRequest,
        logs_service_pb2.ExportLogsServiceResponse,
        logs_service_pb2_grpc.LogsServiceServicer,
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server,
    ),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        signal = self.path.removeprefix("/v1/")
        body = self.rfile.read(int(self.headers["content-length"]))
        encoding = self.headers.get("content-encoding", "none")
        if signal not in SERVICES or encoding not in DECODERS:
            return self.answer(400, f"no {signal} in {encoding}".encode())
        request, response, *_ = SERVICES[signal]
        case = self.headers.get("x-case", "none")
        append(case, signal, "encoding", f"{encoding}\n".encode())
        keep(case, signal, request.FromString(DECODERS[encoding](body)))
        return self.answer(200, response().SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf" if status == 200 else "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
for name, (_, answer, base, add) in SERVICES.items():
    add(service(base, name, answer), server)
grpc_port = server.add_insecure_port("127.0.0.1:0")
server.start()
http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("listening", grpc_port, http.server_port, flush=True)
http.serve_forever()
