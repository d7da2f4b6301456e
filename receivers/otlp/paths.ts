import type { Signal } from '../../src/otlp/batch.ts'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'
import type { HttpConfig } from './fields.ts'

/** Where each signal's requests go to over HTTP. */
export function pathsOf(http: HttpConfig): Readonly<Record<Signal, string>> {
  return {
    traces: rooted(http.traces_url_path),
    metrics: rooted(http.metrics_url_path),
    logs: rooted(http.logs_url_path),
    profiles: HTTP_PATHS.profiles,
  }
}

/** The Collector takes `v1/traces` for `/v1/traces`. */
function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
