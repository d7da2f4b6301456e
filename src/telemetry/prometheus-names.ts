import type { PrometheusConfig } from '../config/telemetry-fields.ts'
import type { Reading } from './registry.ts'

/** How names become Prometheus' own. */
export interface Naming {
  /** `seconds`, `bytes` at the end of names. */
  readonly units: boolean
  /** `_total` at the end of counters. */
  readonly types: boolean
  /** Names stay as they are, dots and all, where the scraper can read that. */
  readonly utf8: boolean
}

/** `translation_strategy` says all of it; without one the two older keys do. */
export function namingOf({ translation_strategy, without_units, without_type_suffix }: PrometheusConfig): Naming {
  if (translation_strategy === undefined) {
    return { units: !without_units, types: !without_type_suffix, utf8: false }
  }
  const suffixes = translation_strategy.endsWith('WithSuffixes')
  const utf8 = translation_strategy.startsWith('No')
  return { units: suffixes, types: suffixes, utf8 }
}

// OpenTelemetry's "Prometheus and OpenMetrics Compatibility", "Metric Metadata": the units there are words for.
const UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['%', 'percent'],
])

/** The name of a metric's family. `utf8`: the scraper reads any name. */
export function familyName(
  { name, unit, kind }: Pick<Reading, 'name' | 'unit' | 'kind'>,
  naming: Naming,
  utf8: boolean,
): string {
  let family = naming.utf8 && utf8 ? name : escapedName(name)
  if (name === 'target_info') return family
  const total = naming.types && kind === 'counter'
  if (total) family = withoutSuffix(family, 'total')
  const word = unitWord(unit, kind)
  if (naming.units && word !== '' && !family.endsWith(`_${word}`) && family !== word) family += `_${word}`
  return total ? `${family}_total` : family
}

function withoutSuffix(name: string, suffix: string): string {
  return name.endsWith(`_${suffix}`) ? name.slice(0, -suffix.length - 1) : name
}

/** Annotations in braces count something by name and are no units. */
function unitWord(unit: string, kind: Reading['kind']): string {
  if (unit === '1') return kind === 'gauge' ? 'ratio' : ''
  return UNITS.get(unit) ?? (/^[a-zA-Z]+$/.test(unit) ? unit : '')
}

/** Characters that the older data model does not have become underscores, several in a row one. */
function escapedName(name: string): string {
  const escaped = name.replaceAll(/[^a-zA-Z0-9_:]+/g, '_')
  return /^\d/.test(escaped) ? `_${escaped}` : escaped
}

export function escapedLabel(name: string): string {
  const escaped = name.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  return /^\d/.test(escaped) ? `key_${escaped}` : escaped
}
