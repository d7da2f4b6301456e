import type { HistogramReading, Reading } from './registry.ts'

/** The content type of `exposition`. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Prometheus' text format, names as they are: no `_total` and no unit suffix, as the Collector's own endpoint writes them,
 * so that existing dashboards find them. `readings` are sorted by name.
 */
export function exposition(readings: readonly Reading[]): string {
  let text = ''
  let family = ''
  for (const reading of readings) {
    if (reading.name !== family) {
      family = reading.name
      const help = reading.description.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
      text += `# HELP ${family} ${help}\n# TYPE ${family} ${reading.kind === 'updown' ? 'gauge' : reading.kind}\n`
    }
    text += reading.kind === 'histogram' ? histogramLines(reading) : `${family}${labelSet(reading)} ${reading.value}\n`
  }
  return text
}

function histogramLines({ name, labels, value: { boundaries, explicit, count, sum } }: HistogramReading): string {
  let lines = ''
  let below = 0
  boundaries.forEach((bound, bucket) => {
    below += explicit[bucket]!
    lines += `${name}_bucket${labelSet({ labels: { ...labels, le: String(bound) } })} ${below}\n`
  })
  const set = labelSet({ labels })
  return `${lines}${name}_bucket${labelSet({ labels: { ...labels, le: '+Inf' } })} ${count}\n${name}_sum${set} ${sum}\n${name}_count${set} ${count}\n`
}

function labelSet({ labels }: Pick<Reading, 'labels'>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${labelName(key)}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function labelName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, '_')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
