import { existsSync, readFileSync } from 'node:fs'

/** Values by `name{label="value",…}` with labels in the order of their names; histograms as `_count` and `_sum`. */
export type Values = Readonly<Record<string, number>>

/** What a pull endpoint says, without buckets. */
export async function pulled(url: string): Promise<Values> {
  const text = await (await fetch(url)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket{'))
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, labels = '', value] = /^([^{ ]+)(?:\{(.*)\})? (.*)$/.exec(line)!
      const pairs = [...labels.matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!] as const)
      return [seriesName(name!, pairs), Number(value)]
    }),
  )
}

interface Point {
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
  readonly asInt?: string
  readonly asDouble?: number
  readonly count?: string
  readonly sum?: number
}

type Metric = { readonly name: string } & Readonly<Record<string, { readonly dataPoints?: readonly Point[] } | string>>

/** The last export of totals in a file of OTLP/JSON lines; undefined while there is none. */
export function exported(path: string): Values | undefined {
  if (!existsSync(path)) return undefined
  const last = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .at(-1)
  if (last === undefined) return undefined
  const { resourceMetrics } = JSON.parse(last) as {
    resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[]
  }
  const values: Record<string, number> = {}
  for (const metric of resourceMetrics.flatMap((each) => each.scopeMetrics.flatMap(({ metrics }) => metrics))) {
    const data = metric['sum'] ?? metric['gauge'] ?? metric['histogram'] ?? metric['exponentialHistogram']
    if (typeof data !== 'object') continue
    for (const point of data.dataPoints ?? []) {
      const labels = (point.attributes ?? []).map(({ key, value }) => [key, value.stringValue] as const)
      if (point.count === undefined)
        values[seriesName(metric.name, labels)] = Number(point.asInt ?? point.asDouble ?? 0)
      else {
        values[seriesName(`${metric.name}_count`, labels)] = Number(point.count)
        values[seriesName(`${metric.name}_sum`, labels)] = point.sum ?? 0
      }
    }
  }
  return values
}

function seriesName(name: string, labels: readonly (readonly [string, string])[]): string {
  const plain = (text: string): string => text.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  const pairs = labels.map(([key, value]) => `${plain(key)}="${value}"`).sort()
  return `${plain(name)}{${pairs.join(',')}}`
}

/** Those that count what passes: the same in an export and a pull once nothing passes. */
export function flow(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name]) =>
      /^(otelcol_(receiver|exporter|processor)|sluice_(ledger|receiver|exporter)|rpc_|http_)/.test(name),
    ),
  )
}
