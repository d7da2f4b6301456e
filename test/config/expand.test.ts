import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { expand } from '../../src/config/expand.ts'
import { field } from '../../src/config/field.ts'
import { loadConfig } from '../../src/config/load.ts'
import { parseYaml } from '../../src/config/parse.ts'
import { Report } from '../../src/config/problem.ts'
import { createRegistry } from '../../src/config/registry.ts'
import { plain, Source } from '../../src/config/tree.ts'
import { lines } from './support/components.ts'

// `#{` stands for `${` below, so that nobody takes these strings for templates.
const ref = (text: string): string => text.replaceAll('#{', '$' + '{')

const folder = mkdtempSync(join(tmpdir(), 'sluice-expand-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'list.yaml'), '- a\n- b\n')
writeFileSync(join(folder, 'map.yaml'), ref('key: #{env:HOST}\nnested::deep: 1\n'))
writeFileSync(join(folder, 'token.txt'), 'abc\n')
writeFileSync(join(folder, 'self.yaml'), ref('again: #{file:self.yaml}\n'))

const env = {
  HOST: 'localhost',
  PORT: '3044',
  OS: 'ubuntu',
  PR: 'amd',
  BOOL: 'true',
  EMPTY: '',
  LIST: "['$$ESCAPE_ME', a]",
  MAP: ref("{k: '#{env:PORT}', 'a::b': 1}"),
  DOLLARS: 'here is 1 $$',
  NESTED: ref('#{env:HOST} came from within'),
  NAME: 'PORT',
  QUOTED: '"0123"',
  OCTAL: '0123',
  COMMENT: 'true # why',
  NOT_YAML: '["a",',
  SELF: ref('#{env:SELF}'),
  PAIR: ref('#{env:SELF2}#{env:SELF2}'),
  SELF2: ref('#{env:PAIR}'),
}

async function expanded(yaml: string): Promise<{ value: unknown; problems: string[]; warnings: string[] }> {
  const report = new Report()
  const tree = await expand(parseYaml(new Source('x.yaml', ref(yaml))).tree, { env, cwd: folder }, report)
  const messages = (list: readonly { message: string }[]): string[] => list.map(({ message }) => message)
  return { value: plain(tree), problems: messages(report.problems), warnings: messages(report.warnings) }
}

// As the Collector (confmap v0.159, default scheme env), each line seen from its own table of cases.
test.each<[string, unknown]>([
  ['#{HOST}:#{PORT}', 'localhost:3044'],
  ['#{HOST}:$PORT', 'localhost:$PORT'],
  ['#{env:HOST}:3043', 'localhost:3043'],
  ['https://#{env:HOST}:3045', 'https://localhost:3045'],
  ['#{env:PORT}', 3044],
  ['#{env:BOOL}', true],
  ['test_#{env:BOOL}_#{env:BOOL}', 'test_true_true'],
  ['#{env:OCTAL}', 83],
  ['v#{env:OCTAL}', 'v0123'],
  ['#{env:QUOTED}', '"0123"'],
  ['#{env:COMMENT}', true],
  ['#{env:NOT_YAML}', '["a",'],
  ['#{env:LIST}', ['$ESCAPE_ME', 'a']],
  ['#{env:MAP}', { k: 3044, 'a::b': 1 }],
  ['#{env:NESTED}', 'localhost came from within'],
  ['#{env:DOLLARS}', 'here is 1 $'],
  ['#{env:#{env:NAME}}', 3044],
  ['#{env:#{NAME}}', 3044],
  ['#{env:MISSING:-fallback}', 'fallback'],
  ['#{env:MISSING:-10}', 10],
  ['#{env:MISSING:-}', ''],
  ['#{env:MISSING:-a:-b}', 'a:-b'],
  ['#{env:MISSING:-#{env:HOST}}', 'localhost'],
  ['#{env:HOST:-unused}', 'localhost'],
  ['#{env:EMPTY}', null],
  ['#{env:EMPTY:-unused}', null],
  ['#{yaml:[1, 2]}', [1, 2]],
  ['#{yaml:#{env:PORT}}', 3044],
  ['#{file:list.yaml}', ['a', 'b']],
  ['#{file:map.yaml}', { key: 'localhost', 'nested::deep': 1 }],
  ['#{file:token.txt}', 'abc\n'],
  // Escapes.
  ['$$ENV', '$ENV'],
  ['$$$$ENV', '$$ENV'],
  ['$#{HOST}', ref('#{HOST}')],
  ['$$#{HOST}', '$localhost'],
  ['$$$#{HOST}', ref('$#{HOST}')],
  ['some$#{env:HOST}text', ref('some#{env:HOST}text')],
  ['$#{ONE}$#{TWO}', ref('#{ONE}#{TWO}')],
  ['$#{1}$#{env:2}', ref('#{1}#{env:2}')],
  ['text$$', 'text$'],
  ['$', '$'],
  ['$ENV', '$ENV'],
  ['$#{env:$#{HOST}}', ref('#{env:#{HOST}}')],
  ['#{env:MISSING:-$#{env:HOST}}', ref('#{env:MISSING:-#{env:HOST}}')],
  // Not references.
  ['env:HOST}', 'env:HOST}'],
  ['"#{HOST"', ref('#{HOST')],
  ['HO{ST}', 'HO{ST}'],
  ['env:HOST}#{env:PORT', ref('env:HOST}#{env:PORT')],
  ['env:HOST}#{env:PORT}', 'env:HOST}3044'],
  ['#{env:HOST}env:PORT}', 'localhostenv:PORT}'],
  ['#{env:HOST#{env:PORT}', ref('#{env:HOST3044')],
  ['#{env:HOST}#{env:PORT', ref('localhost#{env:PORT')],
  ['#{env:HOST}}}}}}#{env:PORT?os=#{env:OS}', ref('localhost}}}}}#{env:PORT?os=ubuntu')],
  ['#{env:HOST}#{#{#{#{#{env:PORT}?os=#{env:OS}', ref('localhost#{#{#{#{3044?os=ubuntu')],
  ['env:HOST}#{env:PORT}?os=env:OS}&pr=#{env:PR}', 'env:HOST}3044?os=env:OS}&pr=amd'],
  // Better than the Collector, which stops at the first escaped reference.
  ['$#{HOST} #{HOST}', ref('#{HOST} localhost')],
])('%s becomes %j', async (yaml, value) => {
  const result = await expanded(`v: '${yaml.replaceAll("'", "''").replace(/^"|"$/g, '')}'`)
  expect(result.value).toStrictEqual({ v: value })
  expect(result.problems).toStrictEqual([])
})

test.each([
  ['#{env:9X}', '"9X" is no name of an environment variable'],
  ['#{env:hello.world}', '"hello.world" is no name of an environment variable'],
  ['#{vault:x}', 'there is no scheme "vault"'],
  ['#{HOST:-x}', ref('did you mean "#{env:HOST:-…}"?')],
  ['#{a:x}', ref('"#{a:x}" is no reference')],
  ['#{}', '"" is no name of an environment variable'],
  ['#{file:missing.yaml}', 'missing.yaml cannot be read: no such file'],
  ['#{file:.}', '. cannot be read: this is a folder'],
  ['#{env:$HOST}', 'holds a "$"'],
  ['#{env:SELF}', 'does it refer to itself?'],
  ['#{env:PAIR}', 'does it refer to itself?'],
  ['#{file:self.yaml}', 'does it refer to itself?'],
])('%s is refused: %s', async (yaml, message) => {
  const { problems } = await expanded(`v: '${yaml}'`)
  expect(problems).toStrictEqual([expect.stringContaining(message)])
})

test('a variable that is not set is empty, and that is a warning', async () => {
  const { value, warnings } = await expanded("a: '#{env:MISSING}'\nb: 'x#{MISSING}'")
  expect(value).toStrictEqual({ a: null, b: 'x' })
  expect(warnings).toStrictEqual([
    expect.stringContaining('the environment variable MISSING is not set'),
    expect.stringContaining('the environment variable MISSING is not set'),
  ])
})

test('a dollar without braces is plain text, and a value that is nothing else gets a warning', async () => {
  const { value, warnings } = await expanded('a: $HOST\nb: x$HOST\nc: $1')
  expect(value).toStrictEqual({ a: '$HOST', b: 'x$HOST', c: '$1' })
  expect(warnings).toHaveLength(1)
})

test('keys are never expanded', async () => {
  expect((await expanded("'#{HOST}': 1")).value).toStrictEqual({ [ref('#{HOST}')]: 1 })
})

test('one text may hold a hundred references, no more', async () => {
  const many = (count: number): string => `v: '${'#{HOST}'.repeat(count)}'`
  expect((await expanded(many(100))).problems).toStrictEqual([])
  expect((await expanded(many(101))).problems).toHaveLength(1)
})

const typed = createRegistry([
  {
    kind: 'receiver',
    type: 'r',
    signals: ['traces'],
    summary: '',
    config: {
      text: field.string('A string.'),
      int: field.int('An integer.'),
      list: field.list('A list.', field.string('A string.')),
      any: field.any('Anything.'),
      wanted: field.int('A number that must be there.', { default: 7 }),
      choice: field.enum('One.', ['1', '2']),
    },
  },
  { kind: 'exporter', type: 'e', signals: ['traces'], summary: '', config: {} },
])

async function option(key: string, value: string, variables: Record<string, string>): Promise<unknown> {
  const text = `{receivers: {r: {${key}: '${ref(value)}'}}, exporters: {e: }, service: {pipelines: {traces: {receivers: [r], exporters: [e]}}}}`
  const loaded = await loadConfig({ config: [`yaml:${text}`], env: variables, cwd: folder }, typed)
  return loaded.config === undefined ? lines(loaded)[0] : loaded.config.receivers['r']?.config[key]
}

test.each<[string, string, unknown]>([
  ['text', '123', '123'],
  ['int', '123', 123],
  ['text', '0123', '0123'],
  ['int', '0123', 83],
  ['text', '1e3', '1e3'],
  ['text', '0xdeadbeef', '0xdeadbeef'],
  ['text', '[a,b]', '[a,b]'],
  ['list', '[a,b]', ['a', 'b']],
  ['list', 'a,b', ['a', 'b']],
  ['text', '"0123"', '"0123"'],
  ['text', '!!str 0123', '!!str 0123'],
  ['text', '2006-01-02T15:04:05Z07:00', '2006-01-02T15:04:05Z07:00'],
  ['text', '1111:1111::', '1111:1111::'],
  ['text', 'true', 'true'],
  ['text', '', ''],
  ['text', '$$ENV', '$ENV'],
  ['text', ref('[a,#{env:OTHER}]'), '[a,other]'],
  ['any', '0123', 83],
  ['choice', '2', '2'],
  ['int', '', undefined],
])('an option that is %s gets what it wants of a variable that holds %j', async (key, value, expected) => {
  expect(await option(key, '#{env:V}', { V: value, OTHER: 'other' })).toStrictEqual(expected)
  expect(await option(key, '#{env:W}', { W: ref('#{env:V}'), V: value, OTHER: 'other' })).toStrictEqual(expected)
})

test('an integer option refuses a quoted number, also from a variable', async () => {
  expect(await option('int', '#{env:V}', { V: '"0123"' })).toContain('expected an integer, got "\\"0123\\""')
})

test('a reference to nothing is the default, or missing where there must be a value', async () => {
  expect(await option('wanted', '#{env:MISSING}', {})).toBe(7)
  const yaml = `{receivers: {r: }, exporters: {must: {count: '${ref('#{env:MISSING}')}'}}, service: {pipelines: {traces: {receivers: [r], exporters: [must]}}}}`
  const must = { count: field.int('How many.', { required: true }) }
  const registry = createRegistry([
    ...typed.definitions,
    { kind: 'exporter', type: 'must', signals: ['traces'], summary: '', config: must },
  ])
  const loaded = await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: folder }, registry)
  expect(lines(loaded)).toStrictEqual(['yaml:1:39  exporters.must.count: must be set: how many  (CONFIG_REQUIRED)'])
})
