import type { Signal } from '../../src/otlp/batch.ts'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { SEVERITIES, SPAN_KINDS, STATUS_CODES, TEMPORALITIES } from '../../src/otlp/schema-messages.ts'
import {
  attributesText,
  bare,
  child,
  doubleText,
  durationText,
  enumText,
  hex,
  list,
  plainText,
  table,
  timeText,
  valueText,
} from './text.ts'

const LEVELS: Readonly<Record<Signal, readonly [resources: string, scopes: string, records: string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
}

/** A request with a line for each resource, scope and record; the columns of a scope's records stand below each other. */
export function normal(signal: Signal, request: PlainObject): string[] {
  const [resources, scopes, records] = LEVELS[signal]
  const lines: string[] = []
  for (const resource of list(request[resources])) {
    lines.push(`resource ${attributesText(child(resource, 'resource')['attributes'])}`.trimEnd())
    for (const scope of list(resource[scopes])) {
      lines.push(`  scope ${scopeText(child(scope, 'scope'))}`.trimEnd())
      for (const line of table(list(scope[records]).flatMap((record) => ROWS[signal](record))))
        lines.push(`    ${line}`)
    }
  }
  return lines
}

function scopeText(scope: PlainObject): string {
  const named = [scope['name'], scope['version']]
    .filter((part) => part !== undefined)
    .map((part) => bare(part as string))
  return [...named, attributesText(scope['attributes'])].join(' ')
}

const ROWS: Readonly<Record<Signal, (record: PlainObject) => string[][]>> = {
  traces: (span) => [spanRow(span)],
  metrics: metricRows,
  logs: (log) => [logRow(log)],
  profiles: (profile) => [
    [timeText(profile['timeUnixNano']), `${list(profile['samples']).length} samples`, hex(profile['profileId'])],
  ],
}

function spanRow(span: PlainObject): string[] {
  const start = span['startTimeUnixNano'] as bigint | undefined
  const end = span['endTimeUnixNano'] as bigint | undefined
  const status = child(span, 'status')
  const code = enumText(STATUS_CODES, status['code'])
  const events = list(span['events']).length
  const links = list(span['links']).length
  return [
    timeText(start),
    start && end ? durationText(end - start) : '-',
    enumText(SPAN_KINDS, span['kind']),
    text(span['name']),
    code === 'unset' ? '' : [code, text(status['message'])].filter(Boolean).join(' '),
    idsText(span),
    [
      ...(events > 0 ? [`events=${events}`] : []),
      ...(links > 0 ? [`links=${links}`] : []),
      attributesText(span['attributes']),
    ].join(' '),
  ]
}

function logRow(log: PlainObject): string[] {
  const number = Number(log['severityNumber'] ?? 0)
  const body = log['body'] as PlainObject | undefined
  return [
    timeText(log['timeUnixNano'] ?? log['observedTimeUnixNano']),
    text(log['severityText']) || (number === 0 ? '' : enumText(SEVERITIES, number).toUpperCase()),
    text(log['eventName']),
    body === undefined ? '' : 'stringValue' in body ? bare(body['stringValue'] as string) : valueText(body),
    idsText(log),
    attributesText(log['attributes']),
  ]
}

function idsText(record: PlainObject): string {
  return [
    ['trace', 'traceId'],
    ['span', 'spanId'],
    ['parent', 'parentSpanId'],
  ]
    .map(([label, name]) => [label, hex(record[name!])] as const)
    .filter(([, id]) => id !== '')
    .map(([label, id]) => `${label}=${id}`)
    .join(' ')
}

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const

function metricRows(metric: PlainObject): string[][] {
  const kind = KINDS.find((each) => each in metric)
  const name = text(metric['name'])
  // UCUM's 1 is "no unit", and beside a number it reads as one.
  const unit = text(metric['unit']).replace(/^1$/, '')
  if (kind === undefined) return [[name, 'no data']]
  const data = child(metric, kind)
  const temporality = enumText(TEMPORALITIES, data['aggregationTemporality'])
  const what = [
    kind === 'exponentialHistogram' ? 'exponential histogram' : kind,
    ...(temporality === 'unspecified' ? [] : [temporality]),
    ...(data['isMonotonic'] === true ? ['monotonic'] : []),
  ].join(' ')
  const points = list(data['dataPoints'])
  if (points.length === 0) return [[name, what, 'no data points']]
  return points.map((point) => [
    name,
    what,
    [pointText(kind, point), unit].filter(Boolean).join(' '),
    timeText(point['timeUnixNano']),
    attributesText(point['attributes']),
  ])
}

function pointText(kind: (typeof KINDS)[number], point: PlainObject): string {
  if (kind === 'gauge' || kind === 'sum') {
    if ('asInt' in point) return plainText(point['asInt']!)
    return 'asDouble' in point ? doubleText(point['asDouble'] as number) : 'no value'
  }
  const parts = [`count=${plainText(point['count'] ?? 0n)}`]
  for (const name of ['sum', 'min', 'max']) {
    if (name in point) parts.push(`${name}=${doubleText(point[name] as number)}`)
  }
  if (kind === 'histogram') parts.push(bucketsText(point))
  for (const { quantile = 0, value = 0 } of list(point['quantileValues'])) {
    // Twelve digits: what the multiplication leaves behind them is noise.
    const percentile = Number((Number(quantile) * 100).toPrecision(12))
    parts.push(`p${percentile}=${doubleText(value as number)}`)
  }
  return parts.join(' ')
}

/** `≤5:3 ≤10:0 >10:1`. */
function bucketsText(point: PlainObject): string {
  const bounds = (point['explicitBounds'] as number[] | undefined) ?? []
  const counts = (point['bucketCounts'] as bigint[] | undefined) ?? []
  return counts
    .map((n, i) =>
      i < bounds.length ? `≤${bounds[i]}:${n}` : bounds.length > 0 ? `>${bounds.at(-1)}:${n}` : `all:${n}`,
    )
    .join(' ')
}

function text(field: PlainObject[string] | undefined): string {
  return bare((field as string | undefined) ?? '')
}
