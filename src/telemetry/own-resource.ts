import { type Detection, detect, readDetection } from './resource-detection.ts'

/** A value of a resource attribute. */
export type ResourceValue = string | number | boolean | bigint | readonly ResourceValue[]

/** Who Sluice is, as everything says that it tells about itself. */
export interface OwnResource {
  readonly attributes: Readonly<Record<string, ResourceValue>>
  readonly schemaUrl: string
}

/** Something wrong with `service.telemetry.resource`, at `path` below it. */
export interface ResourceProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Attributes = Record<string, ResourceValue | null>

/** Keys of the declarative form; a resource with one of them that fits is read as such. */
const DECLARATIVE = ['attributes', 'attributes_list', 'schema_url', 'detectors', 'detection/development']

/**
 * What `service.telemetry.resource` says: a mapping of attributes, where null takes one away; or OpenTelemetry's
 * declarative form, whose `attributes` win over `attributes_list`. Its other keys may stand in the mapping as well.
 */
export function readResource(raw: Readonly<Record<string, unknown>>): {
  readonly attributes: Readonly<Attributes>
  readonly schemaUrl: string
  readonly detection: Detection
  readonly problems: readonly ResourceProblem[]
} {
  const problems: ResourceProblem[] = []
  const attributes: Attributes = {}
  const declarative = Object.entries(raw).some(([key, value]) => DECLARATIVE.includes(key) && typeof value !== 'number')
  if (!declarative) {
    for (const [name, value] of Object.entries(raw)) set(attributes, name, value, undefined, [name], problems)
    return { attributes, schemaUrl: '', detection: readDetection(undefined, problems), problems }
  }
  const { attributes: list = [], attributes_list: text, schema_url: schemaUrl } = raw
  const listed = Array.isArray(list) && list.length > 0
  for (const [key, value] of Object.entries(raw)) {
    if (DECLARATIVE.includes(key)) continue
    if (!listed) {
      set(attributes, key, value, undefined, [key], problems)
      continue
    }
    problems.push({
      path: [key],
      message: `there is no such key beside ${DECLARATIVE.join(', ')}; write it under attributes: [{name: ${key}, value: …}]`,
    })
  }
  if (text !== undefined && text !== null) readList(text, attributes, problems)
  if (schemaUrl !== undefined && schemaUrl !== null && typeof schemaUrl !== 'string') {
    problems.push({ path: ['schema_url'], message: 'expected a string' })
  }
  if (isDetecting(raw['detectors'])) {
    problems.push({
      path: ['detectors'],
      message:
        'not supported, as in the Collector; write detection/development: {detectors: [{host: {}}]}, or the attributes',
    })
  }
  const detection = readDetection(raw['detection/development'], problems)
  if (list !== null && !Array.isArray(list)) {
    problems.push({ path: ['attributes'], message: 'expected a list of {name: …, value: …}' })
    return { attributes, schemaUrl: '', detection, problems }
  }
  for (const [index, item] of (list ?? []).entries()) {
    const path = ['attributes', index]
    const { name, value, type } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>
    if (typeof name !== 'string' || name === '') {
      problems.push({ path, message: 'expected {name: …, value: …} with the name of an attribute' })
    } else set(attributes, name, value, type, [...path, 'value'], problems)
  }
  return { attributes, schemaUrl: typeof schemaUrl === 'string' ? schemaUrl : '', detection, problems }
}

/** `attributes_list`: `a=1,b=2`, percent-encoded as in OTEL_RESOURCE_ATTRIBUTES. */
function readList(text: unknown, attributes: Attributes, problems: ResourceProblem[]): void {
  const path = ['attributes_list']
  if (typeof text !== 'string') {
    problems.push({ path, message: 'expected a text like "a=1,b=2"' })
    return
  }
  for (const pair of text.split(',').filter((each) => each.trim() !== '')) {
    const at = pair.indexOf('=')
    if (at < 1) problems.push({ path, message: `expected pairs like "a=1,b=2", got "${pair}"` })
    else attributes[pair.slice(0, at).trim()] = unescaped(pair.slice(at + 1).trim())
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function isDetecting(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function set(
  attributes: Attributes,
  name: string,
  value: unknown,
  type: unknown,
  path: readonly (string | number)[],
  problems: ResourceProblem[],
): void {
  if (value === null || value === undefined) {
    attributes[name] = null
    return
  }
  const typed = converted(value, type)
  if (typed === undefined) {
    const wanted =
      typeof type === 'string' ? `a value of type ${type}` : 'a string, a number, true or false, or a list of them'
    problems.push({ path, message: `expected ${wanted}` })
  } else attributes[name] = typed
}

const SCALAR_TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  int: (value) => Number.isInteger(value) || typeof value === 'bigint',
  double: (value) => typeof value === 'number',
}

/** As OTLP writes it: a whole number is an int unless `type` says double. */
function converted(value: unknown, type: unknown): ResourceValue | undefined {
  if (Array.isArray(value)) {
    if (type !== undefined && (typeof type !== 'string' || !type.endsWith('_array'))) return undefined
    const items = value.map((item) => converted(item, typeof type === 'string' ? type.slice(0, -6) : undefined))
    return items.includes(undefined) ? undefined : (items as ResourceValue[])
  }
  if (type !== undefined && (typeof type !== 'string' || !SCALAR_TYPES[type]?.(value))) return undefined
  if (typeof value === 'number') return type !== 'double' && Number.isInteger(value) ? BigInt(value) : value
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' ? value : undefined
}

/** What was configured over what everything has on its own, over what detectors found; null takes one away. */
export function ownResource(
  automatic: Readonly<Record<string, string>>,
  raw: Readonly<Record<string, unknown>>,
): OwnResource {
  const { attributes, schemaUrl, detection } = readResource(raw)
  const all = { ...detect(detection), ...automatic, ...attributes }
  return {
    attributes: Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, ResourceValue] => entry[1] !== null),
    ),
    schemaUrl,
  }
}

/** Every attribute as text, for where there is only text: labels, pages. */
export function resourceTexts({ attributes }: OwnResource): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, valueText(value)]))
}

function valueText(value: ResourceValue): string {
  return Array.isArray(value) ? JSON.stringify(value.map((item) => valueText(item))) : String(value)
}
