import { type Pair, RECEIVER } from './pair.ts'

/** The service, its telemetry and its extensions. */
export const SERVICE_PAIRS: readonly Pair[] = [
  {
    name: 'the ballast, wherever it stands',
    older: `${RECEIVER}processors:
  memory_limiter:
    check_interval: 1s
    ballast_size_mib: 165
    limit_mib: 400
exporters: {nop: }
extensions:
  memory_ballast:
    # a third
    size_mib: 165
  zpages:
    endpoint: localhost:0
service:
  extensions: [memory_ballast, zpages]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}
`,
    modern: `${RECEIVER}processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 400
exporters: {nop: }
extensions:
  zpages:
    endpoint: localhost:0
service:
  extensions: [zpages]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}
`,
    warnings: [
      '5:5 processors.memory_limiter.ballast_size_mib: has no effect',
      '9:3 extensions.memory_ballast: has no effect',
    ],
  },
  {
    name: 'the ballast alone, in a list of lines',
    older: `${RECEIVER}exporters: {nop: }
extensions: {memory_ballast: {size_mib: 64}}
service:
  extensions:
    # none but this
    - memory_ballast
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    modern: `${RECEIVER}exporters: {nop: }
extensions: {}
service:
  extensions:
    # none but this
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    warnings: ['3:14 extensions.memory_ballast: has no effect'],
  },
  {
    name: 'the port of health_check',
    older: `${RECEIVER}exporters: {nop: }
extensions:
  health_check:
    port: 13134 # for the kubelet
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    modern: `${RECEIVER}exporters: {nop: }
extensions:
  health_check:
    endpoint: 0.0.0.0:13134 # for the kubelet
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    warnings: ['5:5 extensions.health_check.port: is the old form; write endpoint: 0.0.0.0:13134'],
  },
  {
    name: 'the address of own metrics',
    older: `${RECEIVER}exporters: {nop: }
service:
  telemetry:
    metrics:
      level: detailed
      address: 127.0.0.1:18888 # scraped
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    modern: `${RECEIVER}exporters: {nop: }
service:
  telemetry:
    metrics:
      level: detailed
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: 18888 # scraped
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    warnings: ['7:7 service.telemetry.metrics.address: is the old form; write readers: [{pull'],
  },
  {
    name: 'the address of own metrics in flow style, for every interface',
    older: `${RECEIVER}exporters: {nop: }
service:
  telemetry: {metrics: {address: ":18888"}}
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    modern: `${RECEIVER}exporters: {nop: }
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 18888}}}}]}}
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    warnings: ['4:25 service.telemetry.metrics.address: is the old form'],
  },
  {
    name: 'the protocol of own telemetry',
    older: `${RECEIVER}exporters: {nop: }
service:
  telemetry:
    metrics:
      readers:
        - periodic:
            exporter:
              otlp: {protocol: grpc/protobuf, endpoint: "http://localhost:4317"}
    logs:
      processors:
        - batch:
            exporter:
              otlp:
                # as ever
                protocol: "grpc/protobuf"
                endpoint: http://localhost:4317
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    modern: `${RECEIVER}exporters: {nop: }
service:
  telemetry:
    metrics:
      readers:
        - periodic:
            exporter:
              otlp: {protocol: grpc, endpoint: "http://localhost:4317"}
    logs:
      processors:
        - batch:
            exporter:
              otlp:
                # as ever
                protocol: "grpc"
                endpoint: http://localhost:4317
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`,
    warnings: [
      '9:22 service.telemetry.metrics.readers[0].periodic.exporter.otlp.protocol: "grpc/protobuf" is the old name',
      '16:17 service.telemetry.logs.processors[0].batch.exporter.otlp.protocol: "grpc/protobuf" is the old name',
    ],
  },
]
