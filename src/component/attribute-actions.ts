/**
 * The attribute actions that the `attributes` and `resource` processors share: their configuration, its checks, and the
 * steps that it becomes. Semantics are those of the Collector contrib's `attraction` package, v0.159.0.
 */
import { field, type ValueOf } from '../config/field.ts'
import type { Attributes, EncodedValue, PlainValue } from '../otlp/cursors.ts'
import { encodeValue } from '../otlp/encode.ts'
import { Key } from '../otlp/key.ts'
import { CONVERTED_TYPES, Conversion } from './attribute-convert.ts'
import { hashValue } from './attribute-hash.ts'
import type { ComponentContext } from './contracts.ts'
import type { ConfigProblem } from './define.ts'

const ACTIONS = ['insert', 'update', 'upsert', 'delete', 'hash', 'convert', 'extract'] as const

const NEEDS_PATTERNS = 'regular expressions wait for the RE2 engine; list the keys one by one meanwhile'

const action = field.object(
  'One edit.',
  {
    key: field.string('The attribute to act on.', { required: true }),
    action: field.enum('What to do with it.', ACTIONS, { required: true, anyCase: true }),
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
  const name = config.action
  const problems: ActionProblem[] = []
  if (config.key === '') problems.push({ key: 'key', message: 'expected the name of an attribute, got ""' })
  // An empty string is a value to set, but names no attribute.
  const given = (key: keyof ActionConfig): boolean =>
    config[key] != null && (config[key] !== '' || key === 'value' || key === 'default_value')
  const refuse = (...keys: (keyof ActionConfig)[]): void => {
    for (const key of keys.filter(given)) {
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
      } else if (!given('value') && !given('from_attribute') && !given('default_value')) {
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
      break
    case 'extract':
      problems.push({ key: 'action', message: `"extract" is not supported yet: ${NEEDS_PATTERNS}` })
  }
  return problems
}

type Step = (attributes: Attributes) => void

/** Actions ready to run: keys prepared, values encoded, so that constant ones allocate nothing per record. */
export class AttributeActions {
  readonly #conversions: readonly Conversion[]

  constructor(actions: readonly ActionConfig[], ctx: ComponentContext) {
    const conversions = new Map(
      actions
        .filter((config) => config.action === 'convert')
        .map((config) => [config, new Conversion(Key.of(config.key), config.converted_type!, ctx)]),
    )
    this.#conversions = [...conversions.values()]
    const steps = actions.map((config): Step => {
      const conversion = conversions.get(config)
      return conversion ? (attributes) => conversion.run(attributes) : makeStep(config)
    })
    // Most processors have one action: no loop around it.
    this.apply =
      steps.length === 1
        ? steps[0]!
        : (attributes) => {
            for (let i = 0; i < steps.length; i++) steps[i]!(attributes)
          }
  }

  /** Runs every action, in the order of the configuration. */
  readonly apply: (attributes: Attributes) => void

  /** Counts what happened since the last `commit` or `abort`. */
  commit(): void {
    for (const conversion of this.#conversions) conversion.commit()
  }

  abort(): void {
    for (const conversion of this.#conversions) conversion.abort()
  }
}

function makeStep(config: ActionConfig): Step {
  const key = Key.of(config.key)
  switch (config.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return setter(config.action, key, config)
    case 'delete':
      return (attributes) => void attributes.delete(key)
    case 'hash':
      return (attributes) => {
        const value = attributes.get(key)
        if (value !== undefined) attributes.update(key, hashValue(value))
      }
    default:
      throw new Error(`"${config.action}" passed its check`)
  }
}

function setter(name: 'insert' | 'update' | 'upsert', key: Key, config: ActionConfig): Step {
  const fallback = config.default_value == null ? undefined : encodeValue(fromYaml(config.default_value))
  if (config.value != null) return constantSetter(name, key, encodeValue(fromYaml(config.value)))
  if (!config.from_attribute) return constantSetter(name, key, fallback!)
  const source = Key.of(config.from_attribute)
  const read = (attributes: Attributes): EncodedValue | undefined => attributes.get(source)?.encodedCopy() ?? fallback
  // Presence is asked first: what costs here is copying the source's value.
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
  // What does not fit into 64 bits wraps around, as in the Collector.
  if (typeof value === 'bigint') return BigInt.asIntN(64, value)
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(fromYaml)
  if (typeof value === 'object' && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromYaml(member)]))
  }
  return value as PlainValue
}
