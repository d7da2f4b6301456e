import { expect, test } from 'vitest'
import builtIn from '../../../src/cli/components.ts'
import { registryOf } from '../../../src/component/registry.ts'
import { type Loaded, loadConfig } from '../../../src/config/load.ts'
import { PAIRS } from './pairs.ts'

const registry = registryOf(builtIn)

async function load(yaml: string): Promise<Loaded> {
  return await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: import.meta.dirname }, registry)
}

/** Ids under today's names of their types: the one thing that the loader leaves as it was. */
function withTodaysIds(value: unknown): unknown {
  const text = JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field))
  return JSON.parse(text.replace(/"logging(["/])/g, '"debug$1').replace(/"otlphttp(["/])/g, '"otlp_http$1')) as unknown
}

test.each(PAIRS)('$name: it runs as what it is today, with a warning at each place', async (pair) => {
  const older = await load(pair.older)
  const modern = await load(pair.modern)
  expect(modern.problems).toEqual([])
  expect(modern.warnings).toEqual([])
  expect(older.problems).toEqual([])
  const said = older.warnings.map(({ line, col, path, message }) => `${line}:${col} ${path}: ${message}`)
  expect(said).toEqual(pair.warnings.map((beginning) => expect.stringContaining(beginning)))
  expect(older.warnings.every(({ code }) => code === 'CONFIG_DEPRECATED')).toBe(true)
  const options = ({ config }: Loaded): unknown[] => Object.values(config!.exporters).map((each) => each.config)
  expect(options(older)).toEqual(options(modern))
  if (!pair.otherIds) expect(withTodaysIds(older.config)).toEqual(withTodaysIds(modern.config))
})

test('what looks like a reference once references are expanded is no older form', async () => {
  const { problems } = await load(`
receivers: {otlp: {protocols: {grpc: }}}
exporters: {logging: {loglevel: "$$\{x}"}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [logging]}}}
`)
  expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual(['CONFIG_UNKNOWN_KEY exporters.logging.loglevel'])
})
