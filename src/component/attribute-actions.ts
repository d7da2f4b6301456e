/**
 * The attribute actions that the `attributes` and `resource` processors share: their configuration, its checks, and the
 * steps that it becomes. Semantics are those of the Collector contrib's `attraction` package, v0.159.0.
 */
import { field, type ValueOf } from '../config/field.ts'
import type { Attributes, EncodedValue, PlainValue } from '../otlp/cursors.ts'
import { encodeValue } from '../otlp/encode.ts'
import { Key } from '../otlp/key.ts'
import { CONVERTED_TYPES, Conversion, type ConvertedType } from './attribute-convert.ts'
import { hashValue } from './attribute-hash.ts'
import type { ComponentContext } from './contracts.ts'
import type { ConfigProblem } from './define.ts'

const ACTIONS = ['insert', 'update', 'upsert', 'delete', 'hash', 'convert'] as const
type ActionName = (typeof ACTIONS)[number]

const NEEDS_PATTERNS =
  'it takes a regular expression, and those wait for the RE2 engine; list the keys one by one meanwhile'

const action = field.object(
  'One edit.',
  {
    key: field.string('The attribute to act on.', { required: true }),
    // Not an enum: the Collector reads the word in either case, and much of its documentation writes it in capitals.
    action: field.string(`What to do with it: ${ACTIONS.join(', ')}.`, { required: true, example: 'upsert' }),
    value: field.any('The value to set; its type is the YAML value’s: string, number, boolean, list or map.'),
    from_attribute: field.string('Another attribute of the same record, whose value is set.'),
    default_value: field.any('Set where `from_attribute` names nothing that is there.'),
    converted_type: field.enum('The type that `convert` turns the value into.', CONVERTED_TYPES),
    from_context: field.unsupported(
      'Sets a value from the request’s metadata.',
      'metadata does not reach record processors yet; use value or from_attribute',
    ),
    pattern: field.unsupported('Selects keys, or parts of a value, by regular expression.', NEEDS_PATTERNS),
  },
  { required: true },
)

export type ActionConfig = ValueOf<typeof action>

/** The list of actions, under whichever key the processor has it. */
export function actionsField(doc: string) {
  return field.list(doc, action, { required: true, minItems: 1 })
}

/** What the shapes cannot say: which keys an action needs and which it has no use for. `at` leads to the list. */
export function checkActions(actions: readonly ActionConfig[], at: string): ConfigProblem[] {
  return actions.flatMap((config, i) =>
    checkAction(config).map(({ key, message }) => ({ path: [at, i, ...(key === undefined ? [] : [key])], message })),
  )
}

interface ActionProblem {
  readonly key?: keyof ActionConfig
  readonly message: string
}

function checkAction(config: ActionConfig): ActionProblem[] {
  const name = actionName(config)
  if (name === undefined) return [unknownAction(config.action)]
  const problems: ActionProblem[] = []
  if (config.key === '') problems.push({ key: 'key', message: 'expected the name of an attribute, got ""' })
  const given = (key: keyof ActionConfig): boolean =>
    config[key] !== undefined && config[key] !== null && config[key] !== ''
  const refuse = (...keys: (keyof ActionConfig)[]): void => {
    for (const key of keys) {
      if (given(key))
        problems.push({ key, message: `"${name}" has no use for this; remove it, or choose another action` })
    }
  }
  switch (name) {
    case 'insert':
    case 'update':
    case 'upsert':
      refuse('converted_type')
      if (given('value') && given('from_attribute')) {
        problems.push({ key: 'from_attribute', message: 'expected one source, got this and "value"; remove one' })
      } else if (
        !['value', 'from_attribute', 'default_value'].some((key) => config[key as keyof ActionConfig] != null)
      ) {
        problems.push({ message: `"${name}" needs a value: add value, from_attribute or default_value` })
      }
      break
    case 'convert':
      refuse('value', 'from_attribute', 'default_value')
      if (!given('converted_type')) {
        problems.push({ message: `"convert" needs converted_type: one of ${CONVERTED_TYPES.join(', ')}` })
      }
      break
    case 'delete':
    case 'hash':
      refuse('value', 'from_attribute', 'default_value', 'converted_type')
  }
  return problems
}

function actionName(config: ActionConfig): ActionName | undefined {
  const lower = config.action.toLowerCase()
  return ACTIONS.find((name) => name === lower)
}

function unknownAction(seen: string): ActionProblem {
  const message =
    seen.toLowerCase() === 'extract'
      ? `"extract" is not supported yet: ${NEEDS_PATTERNS}`
      : `expected one of ${ACTIONS.join(', ')}, got ${JSON.stringify(seen)}`
  return { key: 'action', message }
}

type Step = (attributes: Attributes) => void

/** Actions ready to run: keys prepared, values encoded, so that constant ones allocate nothing per record. */
export class AttributeActions {
  readonly #steps: readonly Step[]
  readonly #conversions: readonly Conversion[]

  constructor(actions: readonly ActionConfig[], ctx: ComponentContext) {
    const conversions: Conversion[] = []
    this.#steps = actions.map((config): Step => {
      const key = Key.of(config.key)
      const name = actionName(config)
      switch (name) {
        case 'delete':
          return (attributes) => void attributes.delete(key)
        case 'hash':
          return (attributes) => {
            const value = attributes.get(key)
            if (value !== undefined) attributes.update(key, hashValue(value))
          }
        case 'convert': {
          const conversion = new Conversion(key, config.converted_type as ConvertedType, ctx)
          conversions.push(conversion)
          return (attributes) => conversion.run(attributes)
        }
        case 'insert':
        case 'update':
        case 'upsert':
          return setter(name, key, config)
        default:
          throw new TypeError(`attribute action ${JSON.stringify(config.action)} passed its check`)
      }
    })
    this.#conversions = conversions
  }

  /** Runs every action, in the order of the configuration. */
  apply(attributes: Attributes): void {
    for (const step of this.#steps) step(attributes)
  }

  /** Counts what happened since the last `commit` or `abort`. */
  commit(): void {
    for (const conversion of this.#conversions) conversion.commit()
  }

  abort(): void {
    for (const conversion of this.#conversions) conversion.abort()
  }
}

function setter(name: 'insert' | 'update' | 'upsert', key: Key, config: ActionConfig): Step {
  const fallback = config.default_value == null ? undefined : encodeValue(fromYaml(config.default_value))
  if (config.value != null) return constantSetter(name, key, encodeValue(fromYaml(config.value)))
  if (!config.from_attribute) return constantSetter(name, key, fallback!)
  const source = Key.of(config.from_attribute)
  const read = (attributes: Attributes): EncodedValue | undefined => attributes.get(source)?.encodedCopy() ?? fallback
  // Presence is asked first: copying the source's value is what costs here.
  return (attributes) => {
    if (name !== 'upsert' && attributes.has(key) !== (name === 'update')) return
    const value = read(attributes)
    if (value !== undefined) attributes.set(key, value)
  }
}

function constantSetter(name: 'insert' | 'update' | 'upsert', key: Key, value: EncodedValue): Step {
  switch (name) {
    case 'insert':
      return (attributes) => void attributes.insert(key, value)
    case 'update':
      return (attributes) => void attributes.update(key, value)
    case 'upsert':
      return (attributes) => attributes.set(key, value)
  }
}

/** A YAML value as OTLP has it: whole numbers are ints. */
export function fromYaml(value: unknown): PlainValue {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(fromYaml)
  if (typeof value === 'object' && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromYaml(member)]))
  }
  return value as PlainValue
}
