import type { PrometheusConfig } from '../config/telemetry-fields.ts'
import type { Labels } from './meter.ts'
import { escapedLabel, familyName, type Naming, namingOf } from './prometheus-names.ts'
import type { HistogramReading, Reading } from './registry.ts'
import { wildcard } from './wildcard.ts'

/** The content type of `exposition`. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
/** With names of any characters, for who asked so. */
export const EXPOSITION_TYPE_UTF8 = 'text/plain; version=1.0.0; escaping=allow-utf-8; charset=utf-8'

export interface ExpositionOptions {
  readonly naming: Naming
  /** Stand in every series, before its own: scope and resource. */
  readonly labels: Labels
}

const AS_THEY_ARE: ExpositionOptions = { naming: { units: false, types: false, utf8: false }, labels: {} }

/** What a reader's configuration makes of names and labels. `resource` and `version` are those of the process. */
export function expositionOptions(config: PrometheusConfig, resource: Labels, version: string): ExpositionOptions {
  const scope = config.without_scope_info
    ? {}
    : { otel_scope_name: 'sluice', otel_scope_schema_url: '', otel_scope_version: version }
  return { naming: namingOf(config), labels: { ...scope, ...constantLabels(config, resource) } }
}

function constantLabels({ with_resource_constant_labels: wanted }: PrometheusConfig, resource: Labels): Labels {
  if (wanted === undefined) return {}
  const included = wildcard(wanted.included)
  const excluded = wildcard(wanted.excluded)
  return Object.fromEntries(
    Object.entries(resource).filter(([name]) => (wanted.included.length === 0 || included(name)) && !excluded(name)),
  )
}

/**
 * Prometheus' text format. Without options names are as they are, `_total` and units left out, as the Collector's own
 * endpoint writes them, so that existing dashboards find them. `readings` are sorted by name; `utf8`: the scraper reads
 * names of any characters.
 */
export function exposition(readings: readonly Reading[], options = AS_THEY_ARE, utf8 = false): string {
  let text = ''
  let family = ''
  for (const reading of readings) {
    const name = familyName(reading, options.naming, utf8)
    if (name !== family) {
      family = name
      const help = reading.description.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
      const shown = isPlain(name) ? name : `"${name}"`
      text += `# HELP ${shown} ${help}\n# TYPE ${shown} ${reading.kind === 'updown' ? 'gauge' : reading.kind}\n`
    }
    const constant = reading.name === 'target_info' ? {} : options.labels
    text +=
      reading.kind === 'histogram'
        ? histogramLines(reading, name, constant)
        : `${series(name, { ...constant, ...reading.labels })} ${reading.value}\n`
  }
  return text
}

function histogramLines({ labels, value }: HistogramReading, name: string, constant: Labels): string {
  const { boundaries, explicit, count, sum } = value
  const all = { ...constant, ...labels }
  let lines = ''
  let below = 0
  boundaries.forEach((bound, bucket) => {
    below += explicit[bucket]!
    lines += `${series(`${name}_bucket`, { ...all, le: String(bound) })} ${below}\n`
  })
  lines += `${series(`${name}_bucket`, { ...all, le: '+Inf' })} ${count}\n`
  return `${lines}${series(`${name}_sum`, all)} ${sum}\n${series(`${name}_count`, all)} ${count}\n`
}

function series(name: string, labels: Labels): string {
  const plain = isPlain(name)
  const pairs = Object.entries(labels).map(([key, value]) => `${escapedLabel(key)}="${escapeValue(value)}"`)
  if (!plain) return `{${[`"${name}"`, ...pairs].join(',')}}`
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

function isPlain(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
