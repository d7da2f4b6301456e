/** The attribute actions over plain objects: what a person would write who has read the Collector's documentation. */
import { createHash } from 'node:crypto'
import type { PlainValue } from '../../../src/otlp/cursors.ts'
import type { PlainField, PlainObject } from '../../../src/otlp/plain-object.ts'
import { valueText } from '../../../src/otlp/value-text.ts'

export interface Action {
  readonly key: string
  readonly action: 'insert' | 'update' | 'upsert' | 'delete' | 'hash' | 'convert'
  readonly value?: string | number | boolean
  readonly from_attribute?: string
  readonly default_value?: string | number | boolean
  readonly converted_type?: 'int' | 'double' | 'string'
}

const keyOf = (attribute: PlainObject): PlainField => attribute.key ?? ''

export function applyActions(actions: readonly Action[], attributes: readonly PlainObject[]): PlainObject[] {
  return actions.reduce((list, action) => applyAction(action, list), [...attributes])
}

function applyAction(action: Action, attributes: PlainObject[]): PlainObject[] {
  const { key } = action
  const present = attributes.find((attribute) => keyOf(attribute) === key)
  switch (action.action) {
    case 'delete':
      return attributes.filter((attribute) => keyOf(attribute) !== key)
    case 'hash':
      return present ? set(attributes, key, { stringValue: hash(anyValueOf(present)) }) : attributes
    case 'convert': {
      const converted = present && convert(anyValueOf(present), action.converted_type!)
      return converted ? set(attributes, key, converted) : attributes
    }
    default: {
      const source = sourceOf(action, attributes)
      const wanted = { insert: !present, update: present, upsert: true }[action.action]
      return source && wanted ? set(attributes, key, source) : attributes
    }
  }
}

/** The first of that name gets the value and the others go; where there is none, one is added at the end. */
function set(attributes: PlainObject[], key: string, value: PlainObject): PlainObject[] {
  const at = attributes.findIndex((attribute) => keyOf(attribute) === key)
  if (at < 0) return [...attributes, { key, value }]
  return attributes
    .map((attribute, i) => (i === at ? { ...attribute, value } : attribute))
    .filter((attribute, i) => i <= at || keyOf(attribute) !== key)
}

function sourceOf(
  { value, from_attribute, default_value }: Action,
  attributes: PlainObject[],
): PlainObject | undefined {
  if (value !== undefined) return scalar(value)
  const from = attributes.find((attribute) => keyOf(attribute) === from_attribute)
  if (from && from_attribute) return anyValueOf(from)
  return default_value === undefined ? undefined : scalar(default_value)
}

function scalar(value: string | number | boolean): PlainObject {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: BigInt(value) } : { doubleValue: value }
}

function anyValueOf(attribute: PlainObject): PlainObject {
  return (attribute.value ?? {}) as PlainObject
}

function hash(value: PlainObject): string {
  const bytes = Buffer.alloc(8)
  if (typeof value.intValue === 'bigint') bytes.writeBigInt64LE(value.intValue)
  else if (typeof value.doubleValue === 'number') bytes.writeDoubleLE(value.doubleValue)
  else if (typeof value.boolValue === 'boolean') return sha256(Buffer.of(value.boolValue ? 1 : 0))
  else if (typeof value.stringValue === 'string') return sha256(Buffer.from(value.stringValue))
  else return ''
  return sha256(bytes)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Undefined where the value stays. Texts here are such as JavaScript and Go agree on. */
function convert(value: PlainObject, to: 'int' | 'double' | 'string'): PlainObject | undefined {
  const [kind, content] = (Object.entries(value)[0] ?? ['none', undefined]) as [string, PlainField]
  if (kind === `${to}Value`) return undefined
  if (to === 'string') return text(kind, content)
  const integer = to === 'int'
  if (kind === 'boolValue') return integer ? { intValue: content ? 1n : 0n } : { doubleValue: content ? 1 : 0 }
  if (kind === 'intValue') return { doubleValue: Number(content) }
  if (kind === 'doubleValue') {
    const whole = Math.trunc(content as number)
    return Math.abs(whole) < 2 ** 63 || whole === -(2 ** 63) ? { intValue: BigInt(whole) } : undefined
  }
  if (kind !== 'stringValue') return undefined
  const written = content as string
  if (integer) {
    const fits = /^-?[0-9]+$/.test(written) && BigInt(written) === BigInt.asIntN(64, BigInt(written))
    return fits ? { intValue: BigInt(written) } : undefined
  }
  return /^(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|-?Infinity|NaN)$/.test(written)
    ? { doubleValue: Number(written) }
    : undefined
}

function text(kind: string, content: PlainField): PlainObject | undefined {
  switch (kind) {
    case 'none':
      return { stringValue: '' }
    case 'doubleValue':
      return { stringValue: Object.is(content, -0) ? '-0' : String(content as number) }
    case 'bytesValue':
      return { stringValue: Buffer.from(content as Uint8Array).toString('base64') }
    case 'arrayValue':
    case 'kvlistValue':
      return { stringValue: valueText(plainValue(kind, content)) }
    default:
      return { stringValue: String(content as bigint | boolean) }
  }
}

/** As `valueText` takes it, which value-text.test.ts holds against Go. The last of two equal keys counts. */
function plainValue(kind: string, content: PlainField): PlainValue {
  if (kind === 'arrayValue') return elements(content).map(plainOf)
  if (kind !== 'kvlistValue') return content as PlainValue
  return Object.fromEntries(elements(content).map((pair) => [keyOf(pair), plainOf(anyValueOf(pair))]))
}

function plainOf(value: PlainObject): PlainValue {
  const [only] = Object.entries(value)
  return only && plainValue(...only)
}

function elements(content: PlainField): PlainObject[] {
  return ((content as PlainObject).values ?? []) as PlainObject[]
}
