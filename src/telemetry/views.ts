import type { ViewConfig } from '../config/telemetry-fields.ts'
import { atMost, reBucketed } from './histogram-forms.ts'
import type { HistogramReading, Reading } from './registry.ts'
import { sumReadings } from './registry.ts'
import { seriesId } from './shared-meter.ts'
import { wildcard } from './wildcard.ts'

type Change = (reading: Reading) => Reading | undefined
interface View {
  readonly fits: (reading: Reading) => boolean
  readonly change: Change
}

/**
 * `service.telemetry.metrics.views`: which instruments are told, and as what. An instrument that several views select
 * appears once for each; one that no view selects stays as it is. `version` is that of the scope, `sluice`.
 */
export function views(
  configs: readonly ViewConfig[],
  version: string,
): (readings: readonly Reading[]) => readonly Reading[] {
  if (configs.length === 0) return (readings) => readings
  const all = configs.map((config): View => ({ fits: selector(config, version), change: stream(config) }))
  return (readings) => {
    const streams = new Map<string, Reading>()
    for (const reading of readings) {
      const fitting = all.filter((view) => view.fits(reading))
      const told = fitting.length === 0 ? [reading] : fitting.flatMap(({ change }) => change(reading) ?? [])
      for (const each of told) {
        const id = seriesId(each.name, each.labels)
        const known = streams.get(id)
        streams.set(id, known === undefined ? each : sumReadings(known, each))
      }
    }
    return [...streams.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}

const TYPES: Readonly<Record<Reading['kind'], readonly [made: string, observed: string]>> = {
  counter: ['counter', 'observable_counter'],
  updown: ['up_down_counter', 'observable_up_down_counter'],
  gauge: ['gauge', 'observable_gauge'],
  histogram: ['histogram', 'histogram'],
}

function selector({ selector: wanted }: ViewConfig, version: string): (reading: Reading) => boolean {
  const name = wanted.instrument_name === undefined ? () => true : wildcard([wanted.instrument_name])
  const scope =
    (wanted.meter_name ?? 'sluice') === 'sluice' &&
    (wanted.meter_version ?? version) === version &&
    (wanted.meter_schema_url ?? '') === ''
  return (reading) =>
    scope &&
    name(reading.name) &&
    (wanted.unit ?? reading.unit) === reading.unit &&
    (wanted.instrument_type === undefined || wanted.instrument_type === TYPES[reading.kind][reading.observed ? 1 : 0])
}

function stream({ stream: { name, description, attribute_keys, aggregation } }: ViewConfig): Change {
  const included = wildcard(attribute_keys?.included ?? [])
  const excluded = wildcard(attribute_keys?.excluded ?? [])
  const all = (attribute_keys?.included ?? []).length === 0
  const keeps = (key: string): boolean => (all || included(key)) && !excluded(key)
  return (reading) => {
    if (aggregation?.drop !== undefined) return undefined
    const labels = Object.fromEntries(Object.entries(reading.labels).filter(([key]) => keeps(key)))
    const renamed = { ...reading, labels, name: name ?? reading.name, description: description ?? reading.description }
    return aggregated(renamed, aggregation)
  }
}

function aggregated(reading: Reading, aggregation: ViewConfig['stream']['aggregation']): Reading {
  if (reading.kind === 'histogram') return aggregatedHistogram(reading, aggregation)
  if (aggregation?.last_value !== undefined) return { ...reading, kind: 'gauge' }
  // A sum of what is set is no sum that only grows.
  if (aggregation?.sum !== undefined && reading.kind === 'gauge') return { ...reading, kind: 'updown' }
  return reading
}

function aggregatedHistogram(reading: HistogramReading, aggregation: ViewConfig['stream']['aggregation']): Reading {
  const { value } = reading
  if (aggregation?.sum !== undefined) return { ...reading, kind: 'counter', value: value.sum }
  if (aggregation?.last_value !== undefined) return { ...reading, kind: 'gauge', value: value.sum }
  const explicit = aggregation?.explicit_bucket_histogram
  if (explicit !== undefined) {
    return {
      ...reading,
      form: 'explicit',
      minMax: explicit.record_min_max,
      value: reBucketed(value, explicit.boundaries),
    }
  }
  const exponential = aggregation?.base2_exponential_bucket_histogram
  if (exponential !== undefined) {
    const { max_scale: scale, max_size: size, record_min_max: minMax } = exponential
    return { ...reading, form: 'exponential', minMax, value: atMost(value, scale, size) }
  }
  return reading
}
