import type { OtlpConfig } from '../config/telemetry-fields.ts'

/** Headers of an OTLP exporter, and where each value stands below `headers`. */
export interface OtlpHeaders {
  readonly values: readonly {
    readonly name: string
    readonly value: string
    /** Undefined for one of `headers_list`, which is secret as a whole. */
    readonly place: readonly (string | number)[] | undefined
  }[]
}

/**
 * `headers` as a list of names and values or as a mapping, over `headers_list` (`a=1,b=2`). A string says what is wrong;
 * values are never in it.
 */
export function otlpHeaders({
  headers,
  headers_list,
}: Pick<OtlpConfig, 'headers' | 'headers_list'>): OtlpHeaders | string {
  const values: OtlpHeaders['values'][number][] = []
  for (const pair of (headers_list ?? '').split(',').filter((each) => each.trim() !== '')) {
    const at = pair.indexOf('=')
    if (at < 1) return 'expected headers_list like "a=1,b=2"'
    values.push({
      name: pair.slice(0, at).trim().toLowerCase(),
      value: decoded(pair.slice(at + 1).trim()),
      place: undefined,
    })
  }
  if (headers === undefined || headers === null) return { values }
  if (typeof headers !== 'object') return 'expected a list of {name: …, value: …} or a mapping'
  const items = Array.isArray(headers)
    ? (headers as unknown[]).map((item, index) => ({ ...named(item), place: [index, 'value'] }))
    : Object.entries(headers).map(([name, value]) => ({ name, value: value as unknown, place: [name] }))
  for (const { name, value, place } of items) {
    if (typeof name !== 'string') return 'expected a list of {name: …, value: …} or a mapping'
    const text = value === null || value === undefined ? '' : value
    if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') {
      return `expected a text as the value of ${name}`
    }
    values.push({ name: name.toLowerCase(), value: String(text), place })
  }
  return { values }
}

function named(item: unknown): { readonly name?: unknown; readonly value?: unknown } {
  return typeof item === 'object' && item !== null ? item : {}
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
