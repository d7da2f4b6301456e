import { type OtlpHeaders, otlpHeaders } from '../telemetry/otlp-target.ts'
import { readResource } from '../telemetry/own-resource.ts'
import { parseGrpcTarget } from '../transport/dial-target.ts'
import { headerProblems } from '../transport/headers.ts'
import { splitHostPort } from '../transport/listen-address.ts'
import type { Report } from './problem.ts'
import type { ResolvedTelemetry } from './resolved.ts'
import { PROMETHEUS, type ReaderConfig, type Telemetry } from './telemetry-fields.ts'
import { keyAt, type Path, placeAt, type Tree } from './tree.ts'

const AT = ['service', 'telemetry'] as const

/** Rules of `service.telemetry` that go past one option, `root` being the whole configuration. */
export function checkTelemetry(telemetry: Telemetry, root: Tree, report: Report): void {
  const checker = new Checker(root, report)
  checker.metrics(telemetry.metrics)
  checker.processors(telemetry.logs.processors, [...AT, 'logs', 'processors'])
  checker.processors(telemetry.traces.processors, [...AT, 'traces', 'processors'])
  checker.sampler(telemetry.traces.sampler)
  for (const { path, message } of readResource(telemetry.resource).problems) {
    checker.problem('CONFIG_VALUE', [...AT, 'resource', ...path], message)
  }
}

class Checker {
  readonly #root: Tree
  readonly #report: Report

  constructor(root: Tree, report: Report) {
    this.#root = root
    this.#report = report
  }

  problem(code: 'CONFIG_VALUE' | 'CONFIG_REQUIRED', path: Path, message: string): void {
    this.#report.problem(code, placeAt(this.#root, path), path, message)
  }

  metrics({ level, readers, address, views }: Telemetry['metrics']): void {
    const path = [...AT, 'metrics']
    if (level !== 'detailed' && views.length > 0) {
      const message =
        'service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is detailed; set the level, or remove the views'
      this.#report.problem('CONFIG_VALUE', keyAt(this.#root, [...path, 'views']), [...path, 'views'], message)
    }
    for (const [index, { stream }] of views.entries()) {
      const at = [...path, 'views', index, 'stream', 'aggregation']
      if (Object.keys(stream.aggregation ?? {}).length > 1) this.problem('CONFIG_VALUE', at, 'expected one aggregation')
      const boundaries = stream.aggregation?.explicit_bucket_histogram?.boundaries ?? []
      if (boundaries.some((bound, i) => i > 0 && bound <= boundaries[i - 1]!)) {
        this.problem(
          'CONFIG_VALUE',
          [...at, 'explicit_bucket_histogram', 'boundaries'],
          'expected bounds in ascending order',
        )
      }
    }
    if (address !== undefined && addressParts(address) === undefined) {
      this.problem('CONFIG_VALUE', [...path, 'address'], `expected host:port, got "${address}"`)
    }
    if (level === 'none' || readers === undefined) return
    if (readers.length === 0) {
      const message =
        'collector telemetry metrics reader should exist when metric level is not none; remove the key, or write level: none'
      this.#report.problem('CONFIG_VALUE', keyAt(this.#root, [...path, 'readers']), [...path, 'readers'], message)
    }
    for (const [index, reader] of readers.entries()) this.#reader(reader, [...path, 'readers', index])
  }

  #reader({ pull, periodic }: ReaderConfig, path: Path): void {
    if ((pull === undefined) === (periodic === undefined)) {
      const seen = pull === undefined ? 'neither' : 'both'
      this.problem('CONFIG_REQUIRED', path, `expected pull: or periodic:, got ${seen}`)
    }
    if (pull !== undefined && pull.exporter.prometheus === undefined) {
      this.problem('CONFIG_REQUIRED', path, 'expected pull.exporter.prometheus: {host: …, port: …}')
    }
    if (periodic === undefined) return
    if (periodic.interval === 0) {
      this.problem('CONFIG_VALUE', [...path, 'periodic', 'interval'], 'expected at least 1 (milliseconds), got 0')
    }
    this.#exporter(periodic.exporter, [...path, 'periodic', 'exporter'])
  }

  processors(processors: Telemetry['logs']['processors'], path: Path): void {
    for (const [index, { batch, simple }] of processors.entries()) {
      const at = [...path, index]
      if ((batch === undefined) === (simple === undefined)) {
        const seen = batch === undefined ? 'neither' : 'both'
        this.problem('CONFIG_REQUIRED', at, `expected batch: or simple:, got ${seen}`)
      }
      if (batch !== undefined) {
        this.#exporter(batch.exporter, [...at, 'batch', 'exporter'])
        if (batch.max_export_batch_size > batch.max_queue_size) {
          const message = `expected at most max_queue_size (${batch.max_queue_size}), got ${batch.max_export_batch_size}`
          this.problem('CONFIG_VALUE', [...at, 'batch', 'max_export_batch_size'], message)
        }
      }
      if (simple !== undefined) this.#exporter(simple.exporter, [...at, 'simple', 'exporter'])
    }
  }

  #exporter(
    { otlp, console }: NonNullable<Telemetry['logs']['processors'][number]['simple']>['exporter'],
    path: Path,
  ): void {
    if ((otlp === undefined) === (console === undefined)) {
      const seen = otlp === undefined ? 'neither' : 'both'
      this.problem('CONFIG_REQUIRED', path, `expected otlp: or console:, got ${seen}`)
    }
    if (otlp === undefined) return
    const at = [...path, 'otlp']
    const { endpoint, protocol } = otlp
    if (endpoint !== undefined) {
      const wrong = protocol === 'grpc' ? parseGrpcTarget(endpoint) : urlProblem(endpoint)
      if (typeof wrong === 'string') this.problem('CONFIG_VALUE', [...at, 'endpoint'], wrong)
    }
    const key = otlp.client_key ?? otlp.tls?.key_file
    const certificate = otlp.client_certificate ?? otlp.tls?.cert_file
    if ((key === undefined) !== (certificate === undefined)) {
      this.problem('CONFIG_REQUIRED', at, 'expected client_certificate and client_key together, got one of them')
    }
    this.#headers(otlpHeaders(otlp), at)
  }

  #headers(headers: OtlpHeaders | string, at: Path): void {
    const path = [...at, 'headers']
    if (typeof headers === 'string') {
      this.problem('CONFIG_VALUE', path, headers)
      return
    }
    for (const { place } of headers.values) if (place !== undefined) this.#report.secrets.push([...path, ...place])
    const all = Object.fromEntries(headers.values.map(({ name, value }) => [name, value]))
    for (const { name, message } of headerProblems(all)) this.problem('CONFIG_VALUE', path, `${name}: ${message}`)
  }

  sampler(sampler: Telemetry['traces']['sampler']): void {
    const one = (value: object | undefined, path: Path): void => {
      if (value === undefined || Object.keys(value).length <= 1) return
      this.problem('CONFIG_VALUE', path, `expected one sampler, got ${Object.keys(value).length}`)
    }
    const path = [...AT, 'traces', 'sampler']
    one(sampler, path)
    for (const [key, inner] of Object.entries(sampler?.parent_based ?? {})) one(inner, [...path, 'parent_based', key])
  }
}

function urlProblem(url: string): string | undefined {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return undefined
  const hint = /^[\w.-]+:\d+/.test(url) ? `; did you mean "http://${url}"?` : ''
  return `expected a URL with http:// or https://, got "${url}"${hint}`
}

function addressParts(address: string): { readonly host: string; readonly port: number } | undefined {
  const parts = splitHostPort(address)
  return typeof parts === 'string' ? undefined : parts
}

/** Own telemetry as the runtime wants it, of a `service` that was found sound. */
export function resolveTelemetry(telemetry: Telemetry): ResolvedTelemetry {
  const { level, readers, address, views } = telemetry.metrics
  const parts = address === undefined ? undefined : addressParts(address)
  return {
    ...telemetry,
    metrics: {
      level,
      views,
      readers: level === 'none' ? [] : (readers ?? [usualReader(parts)]),
    },
  }
}

function usualReader(at: { readonly host: string; readonly port: number } = PROMETHEUS): ReaderConfig {
  const { host, port } = at
  // An address without a host is every interface.
  const prometheus = {
    host: host === '' ? '0.0.0.0' : host,
    port,
    without_scope_info: true,
    without_units: true,
    without_type_suffix: true,
  }
  return { pull: { exporter: { prometheus } } } as ReaderConfig
}
