import { bySignal, STABLE, type Stable } from '../../support/otlp-services.ts'

/** A configuration, of the Collector and of Sluice, that writes what comes by `protocol` to a file for each signal. JSON is YAML. */
export function fileBackend(protocol: 'grpc' | 'http', port: number, fileOf: (signal: Stable) => string): string {
  return JSON.stringify({
    receivers: { otlp: { protocols: { [protocol]: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: Object.fromEntries(
      STABLE.map((signal) => [`file/${signal}`, { path: fileOf(signal), format: 'proto', flush_interval: '50ms' }]),
    ),
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: bySignal((signal) => ({ receivers: ['otlp'], exporters: [`file/${signal}`] })),
    },
  })
}
