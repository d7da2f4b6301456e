import type { Reading } from './registry.ts'

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
      text += `# HELP ${family} ${help}\n# TYPE ${family} ${reading.kind}\n`
    }
    text += `${family}${labelSet(reading)} ${reading.value}\n`
  }
  return text
}

function labelSet({ labels }: Reading): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${labelName(key)}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function labelName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, '_')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
