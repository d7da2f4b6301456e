import type { Signal } from '../otlp/batch.ts'

function service(name: string, version = 'v1'): string {
  const area = name.toLowerCase()
  return `/opentelemetry.proto.collector.${area}.${version}.${name.charAt(0).toUpperCase()}${name.slice(1)}Service/Export`
}

/** The `:path` of each signal's unary Export method (opentelemetry-proto, collector services). */
export const GRPC_PATHS: Readonly<Record<Signal, string>> = {
  traces: service('trace'),
  metrics: service('metrics'),
  logs: service('logs'),
  profiles: service('profiles', 'v1development'),
}

/** Default request paths of OTLP/HTTP (OTLP specification, "OTLP/HTTP Request"). */
export const HTTP_PATHS: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
  profiles: '/v1development/profiles',
}

/** Looks signals up by path; only of those given. */
export function signalsByPath(
  paths: Readonly<Record<Signal, string>>,
  signals: readonly Signal[],
): ReadonlyMap<string, Signal> {
  return new Map(signals.map((signal) => [paths[signal], signal]))
}
