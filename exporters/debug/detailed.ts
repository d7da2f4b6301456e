import type { Signal } from '../../src/otlp/batch.ts'
import type { PlainField, PlainObject } from '../../src/otlp/plain-object.ts'
import { type FieldSchema, type MessageSchema, REQUESTS } from '../../src/otlp/schema.ts'
import {
  bare,
  doubleText,
  durationText,
  enumText,
  hex,
  keyOf,
  list,
  plainText,
  table,
  timeText,
  valueText,
} from './text.ts'

/** Messages that only wrap: their fields read better as their parent's. */
const FLAT = new Set(['Resource', 'InstrumentationScope'])

/**
 * Every field that a request has, known to the schema: scalars first, below each other, then attributes, then what is
 * nested, further in. Walks the schema, so that a field which OTLP gains shows without a change here.
 */
export function detailed(signal: Signal, request: PlainObject): string[] {
  const lines: string[] = []
  write(REQUESTS[signal], request, '', lines)
  return lines
}

function write(schema: MessageSchema, object: PlainObject, indent: string, lines: string[]): void {
  const rows: string[][] = []
  const blocks: (() => void)[] = []
  collect(schema, object, indent, rows, blocks, lines)
  for (const row of table(rows)) lines.push(indent + row)
  for (const block of blocks) block()
}

function collect(
  schema: MessageSchema,
  object: PlainObject,
  indent: string,
  rows: string[][],
  blocks: (() => void)[],
  lines: string[],
): void {
  for (const field of schema.fields) {
    const value = object[field.name]
    if (value === undefined) continue
    if (field.message === undefined) rows.push([label(field), scalarText(field, value)])
    else if (field.message.name === 'AnyValue' && !field.repeated) rows.push([label(field), valueText(value)])
    else if (FLAT.has(field.message.name)) collect(field.message, value as PlainObject, indent, rows, blocks, lines)
    else blocks.push(() => writeNested(field, field.message!, value, indent, lines))
  }
  const start = object['startTimeUnixNano']
  const end = object['endTimeUnixNano']
  if (start !== undefined && end !== undefined)
    rows.push(['duration', durationText((end as bigint) - (start as bigint))])
}

function writeNested(
  field: FieldSchema,
  schema: MessageSchema,
  value: PlainField,
  indent: string,
  lines: string[],
): void {
  const deeper = `${indent}  `
  if (schema.name === 'KeyValue') {
    lines.push(indent + label(field))
    const pairs = list(value).map((pair) => [keyOf(pair), valueText(pair['value'])])
    for (const row of table(pairs)) lines.push(deeper + row)
    return
  }
  if (!field.repeated) {
    lines.push(indent + label(field))
    write(schema, value as PlainObject, deeper, lines)
    return
  }
  const all = list(value)
  for (const [i, each] of all.entries()) {
    lines.push(`${indent}${singular(field)} ${i + 1} of ${all.length}`)
    write(schema, each, deeper, lines)
  }
}

function scalarText(field: FieldSchema, value: PlainField): string {
  if (Array.isArray(value)) return `[${value.map((each) => scalarText(field, each)).join(', ')}]`
  if (field.values !== undefined) return enumText(field.values, value)
  if (field.name.endsWith('UnixNano')) return timeText(value)
  if (value instanceof Uint8Array) return field.hex ? hex(value) : `0x${hex(value)}`
  if (field.type === 'double') return doubleText(value as number)
  if (field.name === 'flags') return `0x${(value as number).toString(16).padStart(2, '0')}`
  return bare(plainText(value))
}

/** `startTimeUnixNano` is `start time`, `droppedEventsCount` is `dropped events`. */
function label(field: FieldSchema): string {
  return words(field.name.replace(/UnixNano$/, '').replace(/(?<=^dropped.*)Count$/, ''))
}

/** `resourceSpans` is `resource`, `dataPoints` is `data point`. */
function singular(field: FieldSchema): string {
  return words(field.name.replace(/^(resource|scope)[A-Z].*/, '$1').replace(/s$/, ''))
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
