import { type Pair, RECEIVER } from './pair.ts'

const PIPELINE = `
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
`

/** Around the options of one exporter, `out`, that a pipeline uses. */
const exporting = (id: string, options: string): string => `${RECEIVER}exporters:
  ${id}:${options}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [${id}]}
`

/** Receivers, exporters and their options. */
export const COMPONENT_PAIRS: readonly Pair[] = [
  {
    name: 'the logging exporter is debug, its loglevel a verbosity',
    older: exporting('logging', '\n    # all of it\n    loglevel: debug # for now'),
    modern: exporting('debug', '\n    # all of it\n    verbosity: detailed # for now'),
    warnings: ['3:3 exporters.logging: "logging" is the old name', '5:5 exporters.logging.loglevel: is the old form'],
  },
  {
    name: 'a name stays behind the type, in quotes too',
    older: exporting('"logging/all"', ' {logLevel: WARN}'),
    modern: exporting('"debug/all"', ' {verbosity: basic}'),
    warnings: ['3:3 exporters.logging/all: "logging" is', '3:19 exporters.logging/all.logLevel: is the old form'],
  },
  {
    name: 'exporters under their old types',
    older: `${RECEIVER}exporters:
  otlp:
    endpoint: localhost:4317
  "otlphttp/eu": # far away
    endpoint: http://localhost:4318
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp, 'otlphttp/eu'] # both
    logs:
      receivers:
        - otlp
      exporters:
        - "otlphttp/eu"
        - otlp   # near
`,
    modern: `${RECEIVER}exporters:
  otlp_grpc:
    endpoint: localhost:4317
  "otlp_http/eu": # far away
    endpoint: http://localhost:4318
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc, 'otlp_http/eu'] # both
    logs:
      receivers:
        - otlp
      exporters:
        - "otlp_http/eu"
        - otlp_grpc   # near
`,
    warnings: ['3:3 exporters.otlp: "otlp" is', '5:3 exporters.otlphttp/eu: "otlphttp" is'],
    otherIds: true,
  },
  {
    name: 'an old type beside the new one gets a name',
    older: `${RECEIVER}exporters:
  logging:
  logging/all:
  debug:
  debug/all: {verbosity: detailed}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug, logging, logging/all, debug/all]}
`,
    modern: `${RECEIVER}exporters:
  debug/logging:
  debug/logging_all:
  debug:
  debug/all: {verbosity: detailed}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug, debug/logging, debug/logging_all, debug/all]}
`,
    warnings: [
      '3:3 exporters.logging: "logging" is the old name',
      '4:3 exporters.logging/all: "logging" is the old name',
    ],
    otherIds: true,
  },
  {
    name: 'TLS keys beside tls, in block style',
    older: exporting(
      'otlp_grpc',
      `
    endpoint: localhost:4317
    insecure: true  # dev only

    # theirs
    ca_file: >-
      ca
      .crt
    timeout: 3s`,
    ),
    modern: exporting(
      'otlp_grpc',
      `
    endpoint: localhost:4317
    tls:
      insecure: true  # dev only
      ca_file: >-
        ca
        .crt

    # theirs
    timeout: 3s`,
    ),
    warnings: ['5:5 exporters.otlp_grpc.insecure: is the old form', '8:5 exporters.otlp_grpc.ca_file: is the old form'],
  },
  {
    name: 'TLS keys beside a tls that is there',
    older: exporting(
      'otlp_grpc',
      `
    insecure_skip_verify: true
    tls:
      # the pod's
      ca_file: ca.crt # mounted
    endpoint: localhost:4317`,
    ),
    modern: exporting(
      'otlp_grpc',
      `
    tls:
      # the pod's
      ca_file: ca.crt # mounted
      insecure_skip_verify: true
    endpoint: localhost:4317`,
    ),
    warnings: ['4:5 exporters.otlp_grpc.insecure_skip_verify: is the old form'],
  },
  {
    name: 'TLS keys in flow style',
    older: exporting('otlp_grpc', ' {insecure: true, endpoint: "localhost:4317", ca_file: ca.crt}'),
    modern: exporting('otlp_grpc', ' {tls: {insecure: true, ca_file: ca.crt}, endpoint: "localhost:4317"}'),
    warnings: ['3:15 exporters.otlp_grpc.insecure: is', '3:59 exporters.otlp_grpc.ca_file: is'],
  },
  {
    name: 'receivers had tls_settings and cors_… keys',
    older: `receivers:
  otlp:
    protocols:
      grpc:
        tls_settings: {cert_file: a.crt, key_file: a.key}
      http:
        cors_allowed_origins:
          - http://*.example.com # ours
        cors_allowed_headers: [x-tenant]
exporters: {nop: }
${PIPELINE}`,
    modern: `receivers:
  otlp:
    protocols:
      grpc:
        tls: {cert_file: a.crt, key_file: a.key}
      http:
        cors:
          allowed_origins:
            - http://*.example.com # ours
          allowed_headers: [x-tenant]
exporters: {nop: }
${PIPELINE}`,
    warnings: [
      '5:9 receivers.otlp.protocols.grpc.tls_settings: is the old name; write tls',
      '7:9 receivers.otlp.protocols.http.cors_allowed_origins: is the old form',
      '9:9 receivers.otlp.protocols.http.cors_allowed_headers: is the old form',
    ],
  },
  {
    name: 'queues: blocking, and the batcher beside them',
    older: exporting(
      'otlp_http',
      `
    endpoint: http://localhost:4318
    sending_queue:
      blocking: true
      sizer: items
      queue_size: 50_000
    batcher:
      flush_timeout: 1s
      min_size_items: 10
      max_size_items: 100`,
    ),
    modern: exporting(
      'otlp_http',
      `
    endpoint: http://localhost:4318
    sending_queue:
      block_on_overflow: true
      sizer: items
      queue_size: 50_000
      batch:
        flush_timeout: 1s
        min_size: 10
        max_size: 100`,
    ),
    warnings: [
      '6:7 exporters.otlp_http.sending_queue.blocking: is the old name',
      '9:5 exporters.otlp_http.batcher: is the old form',
      '11:7 exporters.otlp_http.batcher.min_size_items: is the old name',
      '12:7 exporters.otlp_http.batcher.max_size_items: is the old name',
    ],
  },
  {
    name: 'anchors are followed to where the keys stand',
    older: `${RECEIVER}exporters:
  otlp_grpc/a: &tls
    insecure: true
    endpoint: localhost:1
  otlp_grpc/b:
    <<: *tls
    endpoint: localhost:2
  otlp_grpc/c: *tls
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc/a, otlp_grpc/b, otlp_grpc/c]}
`,
    modern: `${RECEIVER}exporters:
  otlp_grpc/a: &tls
    tls:
      insecure: true
    endpoint: localhost:1
  otlp_grpc/b:
    <<: *tls
    endpoint: localhost:2
  otlp_grpc/c: *tls
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc/a, otlp_grpc/b, otlp_grpc/c]}
`,
    warnings: ['4:5 exporters.otlp_grpc/a.insecure: is the old form'],
  },
]
