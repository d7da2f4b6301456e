import type { PlainField, PlainObject } from '../../src/otlp/plain-object.ts'

/** Fields as a person reads them. What comes from outside never reaches a terminal with control characters in it. */

/** Controls of terminals, of lines and of the direction of text. */
const CONTROL = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** Text without quotes, on one line. */
export function bare(text: string): string {
  return text.replace(CONTROL, escaped)
}

function escaped(char: string): string {
  if (char === '\n') return '\\n'
  if (char === '\t') return '\\t'
  if (char === '\r') return '\\r'
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

export function quoted(text: string): string {
  return `"${bare(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`
}

/** An AnyValue on one line: `"GET"`, `200`, `1.5`, `["a", "b"]`, `{user: "x"}`, `0x00ff`, `(empty)`. */
export function valueText(value: PlainField | undefined): string {
  if (value === undefined) return '(empty)'
  const [kind, content] = Object.entries(value as PlainObject)[0] ?? []
  if (content === undefined) return '(empty)'
  switch (kind) {
    case 'stringValue':
      return quoted(content as string)
    case 'bytesValue':
      return `0x${hex(content as Uint8Array)}`
    case 'doubleValue':
      return doubleText(content as number)
    case 'arrayValue':
      return `[${list((content as PlainObject)['values'])
        .map(valueText)
        .join(', ')}]`
    case 'kvlistValue':
      return `{${list((content as PlainObject)['values'])
        .map((pair) => `${keyOf(pair)}: ${valueText(pair['value'])}`)
        .join(', ')}}`
    default:
      return plainText(content)
  }
}

/** A number, boolean or string as JavaScript writes it. */
export function plainText(scalar: PlainField): string {
  return String(scalar as string | number | bigint | boolean)
}

/** A double that cannot be taken for an integer. */
export function doubleText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value)
}

/** Attributes on one line: `http.request.method="GET" http.response.status_code=200`. */
export function attributesText(attributes: PlainField | undefined): string {
  return list(attributes)
    .map((pair) => `${keyOf(pair)}=${valueText(pair['value'])}`)
    .join(' ')
}

export function keyOf(pair: PlainObject): string {
  return bare((pair['key'] as string | undefined) ?? '')
}

export function hex(bytes: PlainField | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes as Uint8Array).toString('hex')
}

/** The elements of a repeated message field. */
export function list(field: PlainField | undefined): PlainObject[] {
  return (field as PlainObject[] | undefined) ?? []
}

/** A singular message field, empty where it is absent. */
export function child(object: PlainObject, name: string): PlainObject {
  return (object[name] as PlainObject | undefined) ?? {}
}

/** Nanoseconds since the Unix epoch as `2026-01-31T08:15:00.123Z`, with as many groups of three digits as it has. */
export function timeText(nanos: PlainField | undefined): string {
  const ns = (nanos as bigint | undefined) ?? 0n
  if (ns === 0n) return '-'
  const whole = ns / 1_000_000_000n
  // A 64-bit count of nanoseconds ends in 2554, well within what a Date holds.
  const seconds = new Date(Number(whole) * 1000).toISOString().slice(0, 19)
  const fraction = String(ns % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')
  return `${seconds}.${fraction}Z`
}

const DURATIONS = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
] as const

/** Nanoseconds as `12.3 ms`: three digits of the largest unit that fits, minutes and hours in full. */
export function durationText(ns: bigint): string {
  if (ns < 0n) return `-${durationText(-ns)}`
  const value = Number(ns)
  if (value >= 60e9) {
    const seconds = Math.round(value / 1e9)
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    return h > 0 ? `${h} h ${m} m ${s} s` : `${m} m ${s} s`
  }
  for (const [unit, size] of DURATIONS) {
    if (value >= size)
      return `${value >= 100 * size ? Math.round(value / size) : Number((value / size).toPrecision(3))} ${unit}`
  }
  return `${value} ns`
}

/** An enum's value without what all of them begin with: `SPAN_KIND_SERVER` is `server`; an unknown one its number. */
export function enumText(values: readonly string[], value: PlainField | undefined): string {
  const name = values[Number(value ?? 0)]
  if (name === undefined) return plainText(value ?? 0)
  const unset = values[0]!
  let prefix = 0
  for (let i = unset.indexOf('_') + 1; i > 0; i = unset.indexOf('_', i) + 1) {
    if (values.every((each) => each.startsWith(unset.slice(0, i)))) prefix = i
  }
  return name.slice(prefix).toLowerCase()
}

/** Rows with their columns below each other; the last column is not padded, empty columns vanish. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .filter((_, i) => widths[i]! > 0)
      .join('  ')
      .trimEnd(),
  )
}
