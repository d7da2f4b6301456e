import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  double,
  integer,
  option,
  record,
  string,
} from 'fast-check'
import { expect, test } from 'vitest'
import { printConfig } from '../../src/config/print.ts'
import { load, loadText, registry, SMALLEST } from './support/components.ts'

const reference = (name: string): string => `$\{env:${name}}`

test('the effective configuration: defaults filled, durations spelled out', async () => {
  const { config } = await loadText(`
receivers: {otlp: {protocols: {grpc: }}}
processors: {batch: {timeout: 90s}}
exporters: {otlp: {endpoint: a:1}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
`)
  expect(printConfig(config!, registry)).toBe(`receivers:
  otlp:
    protocols:
      grpc:
        endpoint: localhost:4317
processors:
  batch:
    send_batch_size: 8192
    timeout: 1m30s
    metadata_keys: []
exporters:
  otlp:
    endpoint: a:1
    headers: {}
    compression: gzip
    timeout: 5s
    sending_queue:
      enabled: true
      queue_size: 1000
service:
  extensions: []
  pipelines:
    traces:
      receivers:
      - otlp
      processors:
      - batch
      exporters:
      - otlp
  telemetry:
    logs:
      level: info
      initial_fields: {}
      output_paths:
      - stderr
      error_output_paths:
      - stderr
      sampling:
        enabled: true
        tick: 10s
        initial: 10
        thereafter: 100
      disable_stacktrace: false
      disable_zap_resource: false
      processors: []
    metrics:
      level: normal
      views: []
      readers:
      - pull:
          exporter:
            prometheus:
              host: localhost
              port: 8888
              without_scope_info: true
              without_units: true
              without_type_suffix: true
    traces:
      level: basic
      propagators:
      - tracecontext
      processors: []
    resource: {}
  admission: {}
  lanes: auto
  lane_restarts_per_minute: 5
  shutdown_timeout: 30s
`)
})

test('secrets are redacted: secret options, headers, and what comes from variables with telling names', async () => {
  const { config } = await loadText(
    `
receivers: {otlp: {protocols: {grpc: {endpoint: "${reference('HOST')}"}}}}
processors: {attributes: {actions: [{key: k, action: insert, value: {deep: "${reference('API_KEY')}"}}]}}
exporters: {otlp: {endpoint: "${reference('DB_PASSWORD')}:1", token: hunter2, headers: {x-team: hunter2}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [attributes], exporters: [otlp]}}}
`,
    { HOST: 'localhost:1', API_KEY: 'hunter2', DB_PASSWORD: 'hunter2' },
  )
  const printed = printConfig(config!, registry)
  expect(printed).not.toContain('hunter2')
  expect(printed.match(/REDACTED/g)).toHaveLength(4)
  expect(printed).toContain('endpoint: localhost:1')
  expect(printConfig(config!, registry, { unredacted: true })).toContain('token: hunter2')
})

test('credentials in a URL are redacted, whichever option it stands in', async () => {
  const { config } = await loadText(`
receivers: {otlp: {protocols: {grpc: {endpoint: "https://me:hunter2@there:1/x?a=b@c"}}}}
exporters: {otlp: {endpoint: "there:1"}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}
`)
  expect(printConfig(config!, registry)).toContain('endpoint: https://[REDACTED]@there:1/x?a=b@c')
  expect(printConfig(config!, registry, { unredacted: true })).toContain('https://me:hunter2@there:1/x?a=b@c')
})

test('what is printed unredacted loads as the same configuration', async () => {
  const text = string({ unit: 'binary', maxLength: 12 })
  const awkward = constantFrom(
    '0123',
    '1_000',
    'yes',
    'null',
    '~',
    '$',
    '$$',
    reference('X'),
    '',
    ' a ',
    'a: b',
    '1e3',
    '.inf',
  )
  const config = record({
    headers: array(option(text), { maxLength: 2 }),
    name: awkward,
    timeout: integer({ min: 1, max: 60_000 }),
    enabled: boolean(),
    value: double({ noNaN: true }),
    level: constantFrom('none', 'normal'),
  })
  await assert(
    asyncProperty(config, async ({ headers, name, timeout, enabled, value, level }) => {
      const dollars = (item: string): string => item.replaceAll('$', '$$$$')
      const overlay = {
        processors: { attributes: { actions: [{ key: dollars(name), action: 'insert', value }] } },
        exporters: {
          otlp: {
            endpoint: 'a:1',
            headers: Object.fromEntries(headers.map((item, index) => [`h${index}`, dollars(item ?? '')])),
            token: dollars(name),
            timeout: `${timeout}ms`,
            sending_queue: { enabled },
          },
        },
        service: {
          pipelines: { traces: { processors: ['attributes'], exporters: ['otlp'] } },
          telemetry: { metrics: { level } },
        },
      }
      const first = await load({ config: [`yaml:${SMALLEST}`, `yaml:${JSON.stringify(overlay)}`] })
      expect(first.problems).toStrictEqual([])
      const again = await loadText(printConfig(first.config!, registry, { unredacted: true }))
      expect(again.problems).toStrictEqual([])
      expect(again.config).toStrictEqual(first.config)
    }),
  )
})
