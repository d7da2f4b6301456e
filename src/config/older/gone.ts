import type { Kind } from '../registry.ts'

/**
 * Components that the Collector had and has no more, by kind and type: what does their work now, as the
 * rest of a sentence. Those that only tuned the Go runtime are in `WITHOUT_EFFECT`.
 */
const GONE: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  receiver: {
    opencensus: 'let clients send OTLP, to the "otlp" receiver',
  },
  processor: {
    queued_retry: 'write sending_queue and retry_on_failure into the exporter',
    spanmetrics:
      'it is a connector now, "span_metrics": name it as an exporter of the traces pipeline and as a receiver of a metrics pipeline',
    servicegraph:
      'it is a connector now, "service_graph": name it as an exporter of the traces pipeline and as a receiver of a metrics pipeline',
    k8s_tagger: 'it is called "k8sattributes" now',
  },
  exporter: {
    jaeger: 'Jaeger takes OTLP: write otlp_grpc: {endpoint: "jaeger:4317", tls: {insecure: true}}',
    jaeger_thrift: 'Jaeger takes OTLP: write otlp_http: {endpoint: "http://jaeger:4318"}',
    jaeger_grpc: 'Jaeger takes OTLP: write otlp_grpc: {endpoint: "jaeger:4317", tls: {insecure: true}}',
    loki: 'Loki takes OTLP: write otlp_http: {endpoint: "http://loki:3100/otlp"}',
    opencensus: 'write otlp_grpc: {endpoint: "host:4317"}; what took OpenCensus takes OTLP',
    sapm: 'write otlp_http: {traces_endpoint: "https://ingest.<realm>.observability.splunkcloud.com/v2/trace/otlp"}',
    dynatrace:
      'Dynatrace takes OTLP: write otlp_http: {endpoint: "https://<environment>.live.dynatrace.com/api/v2/otlp"}',
    elastic: 'Elastic takes OTLP: write otlp_grpc: {endpoint: "apm-server:8200"}',
    honeycomb: 'Honeycomb takes OTLP: write otlp_grpc: {endpoint: "api.honeycomb.io:443"}',
    lightstep: 'Lightstep takes OTLP: write otlp_grpc: {endpoint: "ingest.lightstep.com:443"}',
    newrelic: 'New Relic takes OTLP: write otlp_grpc: {endpoint: "otlp.nr-data.net:4317"}',
    humio: 'Humio takes OTLP: write otlp_http: {endpoint: "https://<host>/api/v1/ingest/otlp"}',
    uptrace: 'Uptrace takes OTLP: write otlp_grpc: {endpoint: "otlp.uptrace.dev:4317"}',
    skywalking: 'SkyWalking takes OTLP: write otlp_grpc: {endpoint: "oap:11800"}',
    stackdriver: 'it is called "googlecloud" now',
  },
  connector: {},
  extension: {},
}

/** What to say of a type that the Collector had once; undefined for any other. */
export function goneType(kind: Kind, type: string): string | undefined {
  const successor = Object.hasOwn(GONE[kind], type) ? GONE[kind][type] : undefined
  return successor === undefined ? undefined : `there is no ${kind} of this type any more; ${successor}`
}

/** Extensions that are taken and do nothing, with why. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  memory_ballast: "it kept Go's garbage collector from running too often; V8's has no use for one",
}
