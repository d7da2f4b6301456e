import { durationPattern } from './duration.ts'
import type { Field, Fields, Shape } from './field.ts'
import { type Described, KIND_OF, type Registry } from './registry.ts'
import { SECTIONS, type Section } from './resolved.ts'
import { SERVICE } from './service.ts'

/** A JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

/** Any value may come from elsewhere: `${env:NAME}`. */
const DEFS = { reference: { description: 'A reference to a value elsewhere.', type: 'string', pattern: '\\$\\{.+\\}' } }
const REFERENCE = { $ref: '#/$defs/reference' }

/** The options that `fields` describe, as YAML writes them, for editors and for other tools. */
export function schemaOf(fields: Fields): JsonSchema {
  return { $schema: DRAFT, ...objectSchema(fields), $defs: DEFS }
}

/** A whole configuration of the components that `registry` knows. */
export function configSchema(registry: Registry): JsonSchema {
  const sections = SECTIONS.map((section) => [section, sectionSchema(section, registry)])
  return {
    $schema: DRAFT,
    title: 'Sluice configuration',
    type: 'object',
    properties: { ...Object.fromEntries(sections), service: anyOf(objectSchema(SERVICE)) },
    additionalProperties: false,
    $defs: DEFS,
  }
}

/** Every schema that stands under schemas/, as files: one of the whole, one for each component. */
export function generateSchemas(registry: Registry): { readonly path: string; readonly text: string }[] {
  const components = registry.definitions.map((definition) => ({
    path: `schemas/${definition.kind}s/${definition.type}.schema.json`,
    text: textOf({ title: `${definition.type} ${definition.kind}`, ...schemaOf(definition.config) }),
  }))
  const all = [{ path: 'schemas/sluice.schema.json', text: textOf(configSchema(registry)) }, ...components]
  return all.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function textOf(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}

function sectionSchema(section: Section, registry: Registry): JsonSchema {
  const kind = KIND_OF[section]
  const definitions = registry.definitions.filter((definition) => definition.kind === kind)
  return anyOf({
    type: ['object', 'null'],
    patternProperties: Object.fromEntries(definitions.map((definition) => [idPattern(definition), ofOne(definition)])),
    additionalProperties: false,
  })
}

function ofOne(definition: Described): JsonSchema {
  return { description: definition.summary, ...anyOf(objectSchema(definition.config)) }
}

function idPattern({ type, aliases = [] }: Described): string {
  return `^(${[type, ...aliases].join('|')})(/.+)?$`
}

/** A key may stand with nothing after it where nothing in it is required. */
function objectSchema(fields: Fields): JsonSchema {
  const required = Object.entries(fields)
    .filter(([, field]) => field.required)
    .map(([key]) => key)
  return {
    type: required.length === 0 ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

function fieldSchema(field: Field<unknown>, nullable = field.required !== true): JsonSchema {
  const { shape, doc } = field
  if (shape.kind === 'unsupported') return { description: `${doc} Not supported: ${shape.reason}.`, not: {} }
  if (shape.kind === 'noEffect') return { description: `${doc} No effect: ${shape.reason}.`, deprecated: true }
  return {
    description: doc,
    ...shapeSchema(shape, nullable),
    ...(field.default !== undefined && { default: field.default }),
  }
}

/** What stands in a list or under a key of one's own: nothing, only where that means a default. */
function itemSchema(field: Field<unknown>): JsonSchema {
  return fieldSchema(field, field.default !== undefined)
}

function shapeSchema(shape: Shape, nullable: boolean): JsonSchema {
  const typed = (type: string): { readonly type: string | readonly string[] } => ({
    type: nullable ? [type, 'null'] : type,
  })
  switch (shape.kind) {
    case 'bool':
      return anyOf(typed('boolean'))
    case 'int':
    case 'number':
      return anyOf(
        { ...typed(shape.kind === 'int' ? 'integer' : 'number'), ...limits(shape) },
        ...(shape.word === undefined ? [] : [{ const: shape.word }]),
      )
    case 'string': {
      const examples = shape.example === undefined ? {} : { examples: [shape.example] }
      if (shape.pattern === undefined) return { ...typed('string'), ...examples }
      return { ...anyOf({ ...typed('string'), pattern: shape.pattern.source }), ...examples }
    }
    case 'enum': {
      const values = shape.anyCase ? shape.values.flatMap((value) => [value, value.toUpperCase()]) : shape.values
      return anyOf({ enum: [...new Set(values), ...(nullable ? [null] : [])] })
    }
    case 'duration':
      // Bounds are beyond a pattern, but for the sign.
      return anyOf(
        { ...typed('string'), pattern: durationPattern((shape.min ?? 0) < 0) },
        ...((shape.min ?? 0) <= 0 ? [{ const: 0 }] : []),
      )
    case 'list': {
      const items = itemSchema(shape.item)
      const list = { ...typed('array'), items, ...(shape.minItems !== undefined && { minItems: shape.minItems }) }
      return shape.commas ? anyOf(list, { type: 'string' }) : anyOf(list)
    }
    case 'map': {
      const value = itemSchema(shape.value)
      const map = { ...typed('object'), additionalProperties: value }
      return shape.pairs ? anyOf(map, { type: 'array', items: pairSchema(value) }) : anyOf(map)
    }
    case 'object':
      return anyOf(objectSchema(shape.fields))
    default:
      return {}
  }
}

function pairSchema(value: JsonSchema): JsonSchema {
  const properties = { name: { type: 'string', minLength: 1 }, value }
  return { type: 'object', properties, required: ['name', 'value'], additionalProperties: false }
}

function limits({ min, max }: { readonly min?: number; readonly max?: number }): JsonSchema {
  return { ...(min !== undefined && { minimum: min }), ...(max !== undefined && { maximum: max }) }
}

function anyOf(...schemas: readonly JsonSchema[]): JsonSchema {
  return { anyOf: [...schemas, REFERENCE] }
}
