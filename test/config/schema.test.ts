import { Ajv2020 } from 'ajv/dist/2020.js'
import { anything, assert, constant, constantFrom, dictionary, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFields, INVALID } from '../../src/config/decode.ts'
import type { Fields } from '../../src/config/field.ts'
import { parseYaml } from '../../src/config/parse.ts'
import { Report } from '../../src/config/problem.ts'
import { configSchema, generateSchemas, schemaOf } from '../../src/config/schema.ts'
import { plain, Source, treeOf } from '../../src/config/tree.ts'
import { registry, SMALLEST } from './support/components.ts'

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true })

function accepts(fields: Fields, value: unknown): boolean {
  const place = { source: new Source('x', ''), offset: 0 }
  return decodeFields(fields, treeOf(value, place), [], place, new Report()) !== INVALID
}

/** Values that are likely to be near an option: its own keys, values of every shape. */
function near(fields: Fields) {
  const keys = Object.keys(fields)
  const value = oneof(
    constantFrom<unknown>(
      null,
      true,
      false,
      0,
      1,
      -1,
      8192,
      1.5,
      2000,
      '',
      'a',
      'gzip',
      'normal',
      'insert',
      '10',
      '5s',
      '1m',
      '-1s',
    ),
    constantFrom<unknown>(
      [],
      {},
      ['a'],
      [1],
      [null],
      { x: 'y' },
      { x: 1 },
      { x: null },
      { insecure: true },
      { queue_size: 0 },
      { grpc: {} },
    ),
    constantFrom<unknown>([{ key: 'a', action: 'insert' }], [{ key: 'a' }], 'a:1', { enabled: 'x' }),
    anything({ maxDepth: 1, withNullPrototype: false }).filter((item) => item !== undefined && !hasOddities(item)),
  )
  return oneof(
    dictionary(
      oneof({ weight: 9, arbitrary: constantFrom(...keys, 'unknown') }, { weight: 1, arbitrary: string() }),
      value,
    ),
    dictionary(constantFrom(...keys, keys[0] ?? ''), value).map((rest) => ({ endpoint: 'a:1', ...rest })),
    constant(null),
  )
}

/** What JSON does not have, and references, which the schema lets pass unseen. */
function hasOddities(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value)
  if (typeof value === 'string') return value.includes('$')
  if (value === null || typeof value === 'boolean') return false
  if (typeof value !== 'object') return true
  return Object.entries(value).some(([key, item]) => key === '__proto__' || hasOddities(item))
}

// The schema is what editors see, the walk over the fields is what counts: they may not drift apart. Bounds of durations,
// which a schema cannot say, are left out.
test.each(registry.definitions.filter(({ config }) => Object.keys(config).length > 0))(
  'the schema of $type ($kind) accepts what the loader accepts, and nothing else',
  ({ config }) => {
    const validate = ajv.compile(schemaOf(config))
    assert(
      property(near(config), (value) => {
        expect(validate(value), JSON.stringify(value)).toBe(accepts(config, value))
      }),
      { numRuns: 2000 },
    )
  },
)

test('the schema of a whole configuration accepts the smallest, and references anywhere', () => {
  const validate = ajv.compile(configSchema(registry))
  const value = plain(parseYaml(new Source('x', SMALLEST)).tree) as Record<string, unknown>
  expect(validate(value)).toBe(true)
  const reference = '$' + '{env:X}'
  const exporters = { 'otlp/x': { endpoint: reference, timeout: reference, sending_queue: { queue_size: reference } } }
  expect(validate({ ...value, exporters, processors: reference })).toBe(true)
  expect(validate({ ...value, exporters: { otpl: {} } })).toBe(false)
  expect(validate({ ...value, pipelines: {} })).toBe(false)
})

test('there is one file for the whole, and one for each component', () => {
  const files = generateSchemas(registry)
  expect(files).toHaveLength(1 + registry.definitions.length)
  expect(files.map(({ path }) => path)).toContain('schemas/exporters/otlp_grpc.schema.json')
  for (const { text } of files) expect(() => ajv.compile(JSON.parse(text))).not.toThrow()
})
