import { SIGNALS, type Signal } from '../../src/otlp/batch.ts'
import { HTTP_PATHS } from '../../src/transport/otlp-services.ts'

export const ENDPOINT_KEYS = [
  'endpoint',
  'traces_endpoint',
  'metrics_endpoint',
  'logs_endpoint',
  'profiles_endpoint',
] as const

export type Endpoints = { readonly [K in (typeof ENDPOINT_KEYS)[number]]?: string | undefined }

/** Where each signal goes; a signal without an endpoint is not in it. */
export function signalUrls(config: Endpoints): Partial<Record<Signal, string>> {
  const urls: Partial<Record<Signal, string>> = {}
  for (const signal of SIGNALS) {
    const own = config[`${signal}_endpoint`]
    if (own !== undefined) urls[signal] = own
    else if (config.endpoint !== undefined) urls[signal] = config.endpoint.replace(/\/$/, '') + HTTP_PATHS[signal]
  }
  return urls
}

/** What is wrong with an endpoint; undefined when requests can be sent to it. */
export function urlProblem(url: string): string | undefined {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return undefined
  const hint = /^[\w.-]+:\d+/.test(url) ? `; did you mean "http://${url}"?` : ''
  return `expected a URL with http:// or https://, got "${url}"${hint}`
}
