import { createHash } from 'node:crypto'
import type { Batch, Signal } from '../../../src/otlp/batch.ts'
import { type PlainField, type PlainObject, toPlain } from '../../../src/otlp/plain-object.ts'

/** A batch as the configuration of a component can hold it. */
export interface Part {
  readonly signal: Signal
  readonly items: number
  readonly base64: string
}

export function partsOf(batches: readonly Batch[]): Part[] {
  return batches.map(({ signal, items, chunks }) => ({
    signal,
    items,
    base64: Buffer.concat(chunks).toString('base64'),
  }))
}

/** What an exporter `id` of some lane was given. */
export interface Collected {
  readonly id: string
  readonly signal: Signal
  readonly chunks: readonly Uint8Array[]
}

/** Where records lie in a request, from the outermost list in: everything above one belongs to it. */
const LEVELS: Readonly<Record<Exclude<Signal, 'profiles'>, readonly string[]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics', 'dataPoints'],
}

/**
 * The records of requests, each as the digest of one text with all that stands above it, in an order of their own: two lists are alike
 * where the requests say the same, however it is divided. Fractions are cut to twelve digits: sums differ with the order of
 * what is added. Profiles, whose records point into tables, are counted by their pipeline's books only.
 */
export function recordsOf(requests: readonly { readonly signal: Signal; readonly bytes: Uint8Array }[]): string[] {
  return requests
    .flatMap(({ signal, bytes }) => (signal === 'profiles' ? [] : flat(toPlain(signal, bytes), LEVELS[signal], '')))
    .map(digest)
    .sort()
}

/** Stands for a text in comparisons: two that differ are to be told apart, not read. */
export function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 16)
}

function flat(object: PlainObject, [list, ...below]: readonly string[], above: string): string[] {
  if (list === undefined) return [above + text(object)]
  // A metric has its points in the member for its kind.
  const kind = list === 'dataPoints' ? Object.keys(object).find((key) => hasPoints(object[key])) : undefined
  const holder = kind === undefined ? object : (object[kind] as PlainObject)
  const rest = kind === undefined ? { ...object } : { ...object, [kind]: { ...holder, dataPoints: [] } }
  if (kind === undefined) delete rest[list]
  return ((holder[list] ?? []) as PlainObject[]).flatMap((each) => flat(each, below, `${above}${text(rest)} `))
}

function hasPoints(value: PlainField | undefined): boolean {
  return typeof value === 'object' && 'dataPoints' in value
}

function text(value: PlainObject): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === 'bigint') return `${field}n`
    if (typeof field === 'number' && !Number.isInteger(field)) return field.toPrecision(12)
    return field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field
  })
}
