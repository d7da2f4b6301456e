import { globSync } from 'node:fs'
import { join } from 'node:path'
import { assert, asyncProperty, constantFrom, double, integer } from 'fast-check'
import { describe, expect, test } from 'vitest'
import builtIn from '../../../src/cli/components.ts'
import { registryOf } from '../../../src/component/registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { migrate } from '../../../src/config/older/migrate.ts'
import { files, read, root } from '../../support/tree.ts'
import { soup } from '../support/soup.ts'
import { PAIRS } from './pairs.ts'

const registry = registryOf(builtIn)

// That a migrated configuration means the same stands in older.test.ts, for the same pairs.

describe.each(PAIRS)('$name', ({ older, modern, warnings }) => {
  test('is migrated to today’s form, byte for byte', () => {
    const { text, changes, left, problems } = migrate(older, 'old.yaml', registry)
    expect(text).toBe(modern)
    expect(problems).toEqual([])
    expect(left).toEqual([])
    const said = changes.map(({ line, col, path, message }) => `${line}:${col} ${path}: ${message}`)
    expect(said).toHaveLength(warnings.length)
  })

  test('is left alone from then on', () => {
    expect(migrate(modern, 'new.yaml', registry)).toEqual({ text: modern, changes: [], left: [], problems: [] })
  })

  test('keeps the ends of its lines', () => {
    const windows = (text: string): string => text.replaceAll('\n', '\r\n')
    expect(migrate(windows(older), 'old.yaml', registry).text).toBe(windows(modern))
  })
})

test.each(files('pipelines/*.yaml'))('%s is up to date', (path) => {
  const text = read(path)
  expect(migrate(text, path, registry)).toEqual({ text, changes: [], left: [], problems: [] })
})

test('what only a person can change is left, and told', () => {
  const older = `exporters:
  logging:
    loglevel: \${env:LEVEL}
  otlp_grpc::insecure: true
  otlp_grpc/flow: {insecure: true, tls:
    }
service:
  telemetry:
    metrics: {address: "\${env:HOST}:8888"}
`
  const { text, changes, left } = migrate(older, 'old.yaml', registry)
  expect(text).toBe(`exporters:
  debug:
    loglevel: \${env:LEVEL}
  otlp_grpc::insecure: true
  otlp_grpc/flow: {insecure: true, tls:
    }
service:
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: "\${env:HOST}", port: 8888}}}}]}
`)
  expect(changes.map(({ path }) => path)).toEqual(['exporters.logging', 'service.telemetry.metrics.address'])
  expect(left.map(({ line, path }) => `${line} ${path}`)).toEqual([
    '3 exporters.debug.loglevel',
    '4 exporters.otlp_grpc.insecure',
    '5 exporters.otlp_grpc/flow.insecure',
  ])
})

test('components that are gone are left, and what takes their place is told', () => {
  const older = `receivers: {otlp: {protocols: {grpc: }}, opencensus: }
processors:
  queued_retry/a:
  unheard_of:
exporters: {jaeger: {endpoint: "jaeger:14250"}}
`
  const { text, changes, left } = migrate(older, 'old.yaml', registry)
  expect(text).toBe(older)
  expect(changes).toEqual([])
  expect(left.map(({ line, path, message, code }) => `${line} ${path}: ${message} ${code}`)).toEqual([
    '1 receivers.opencensus: there is no receiver of this type any more; let clients send OTLP, to the "otlp" receiver CONFIG_UNKNOWN_TYPE',
    '3 processors.queued_retry/a: there is no processor of this type any more; write sending_queue and retry_on_failure into the exporter CONFIG_UNKNOWN_TYPE',
    '5 exporters.jaeger: there is no exporter of this type any more; Jaeger takes OTLP: write otlp_grpc: {endpoint: "jaeger:4317", tls: {insecure: true}} CONFIG_UNKNOWN_TYPE',
  ])
})

test.each([
  ['a: [', 'CONFIG_SYNTAX'],
  ['- a', 'CONFIG_TYPE'],
  ['', 'CONFIG_TYPE'],
])('%j is no configuration', (text, code) => {
  const migrated = migrate(text, 'old.yaml', registry)
  expect(migrated.text).toBe(text)
  expect(migrated.problems).toMatchObject([{ code }])
})

test.each(globSync('**/*.yaml', { cwd: join(root, 'test/config/wrong') }))(
  'wrong/%s is migrated once, or not at all',
  (path) => {
    const { text, problems } = migrate(read(`test/config/wrong/${path}`), path, registry)
    if (problems.length > 0) return
    const again = migrate(text, path, registry)
    expect(again.text).toBe(text)
    expect(again.changes).toEqual([])
  },
)

test('soup in an older configuration is no reason to throw, nor to change what is no older form', async () => {
  const pair = constantFrom(...PAIRS.map(({ older }) => older))
  await assert(
    asyncProperty(
      pair,
      double({ min: 0, max: 1, noNaN: true }),
      integer({ min: 0, max: 20 }),
      soup,
      async (older, where, cut, text) => {
        const at = Math.floor(where * older.length)
        const soupy = older.slice(0, at) + text + older.slice(at + cut)
        const { text: migrated, problems } = migrate(soupy, 'old.yaml', registry)
        if (problems.length > 0) {
          expect(migrated).toBe(soupy)
          return
        }
        const again = migrate(migrated, 'old.yaml', registry)
        expect(again.text).toBe(migrated)
        expect(again.changes).toEqual([])
        const before = await loadConfig({ config: [`yaml:${soupy}`], env: {}, cwd: '.' }, registry)
        const after = await loadConfig({ config: [`yaml:${migrated}`], env: {}, cwd: '.' }, registry)
        // Kinds of problems, not how many: two references that are wrong become one where the new name is the same.
        const kinds = ({ problems }: { readonly problems: readonly { readonly code: string }[] }) =>
          new Set(problems.map(({ code }) => code))
        expect(kinds(after)).toEqual(kinds(before))
      },
    ),
    { numRuns: 1000 },
  )
}, 60_000)
