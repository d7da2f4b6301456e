import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { files, read } from '../support/tree.ts'

// The schemas are for editors; the loader has its own checks. Shown: what runs is clean in an editor, and a slip is not.

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
const validate = ajv.compile(JSON.parse(read('schemas/sluice.schema.json')) as object)

describe('schemas/', () => {
  test.each(files('schemas/**/*.json').filter((path) => !path.endsWith('/sluice.schema.json')))(
    '%s compiles',
    (path) => {
      expect(ajv.compile(JSON.parse(read(path)) as object)).toBeTypeOf('function')
    },
  )

  test.each(files('pipelines/*.yaml'))('an editor has nothing to say about %s', (path) => {
    validate(parse(read(path)))
    expect(validate.errors ?? []).toEqual([])
  })

  test.each([
    ['a key', { receivers: { otlp: { protocols: { htttp: {} } } } }],
    ['a type', { processors: { bacth: {} } }],
    ['a value', { processors: { batch: { send_batch_size: 'many' } } }],
    ['a section', { recievers: {} }],
  ])('it has about a slip in %s', (_, document) => {
    expect(validate(document)).toBe(false)
  })

  test('every pipeline file names the schema for editors', () => {
    const silent = files('pipelines/*.yaml').filter(
      (path) => !read(path).startsWith('# yaml-language-server: $schema=../schemas/sluice.schema.json\n'),
    )
    expect(silent).toEqual([])
  })
})
