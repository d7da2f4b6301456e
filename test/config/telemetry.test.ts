import { expect, test } from 'vitest'
import builtIn from '../../src/cli/components.ts'
import { registryOf } from '../../src/component/registry.ts'
import { loadConfig } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/print.ts'
import { otlpHeaders } from '../../src/telemetry/otlp-target.ts'

const registry = registryOf(builtIn)

async function printed(telemetry: string): Promise<string> {
  const yaml = `
receivers: {otlp: {protocols: {grpc: }}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}, telemetry: ${telemetry}}
`
  const { config, problems } = await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: '/' }, registry)
  expect(problems).toEqual([])
  return printConfig(config!, registry)
}

test('headers of own telemetry are never shown, however they are written', async () => {
  const otlp = '{otlp: {headers: [{name: authorization, value: hunter2}], headers_list: "x=hunter2"}}'
  const asMap = '{otlp: {headers: {authorization: hunter2}}}'
  const text = await printed(
    `{metrics: {readers: [{periodic: {exporter: ${otlp}}}]}, logs: {processors: [{simple: {exporter: ${asMap}}}]}}`,
  )
  expect(text).not.toContain('hunter2')
  expect(text.match(/\[REDACTED\]/g)).toHaveLength(3)
  expect(text).toContain('name: authorization')
})

test('headers: a list or a mapping, over headers_list', () => {
  const values = (config: Parameters<typeof otlpHeaders>[0]): unknown => {
    const headers = otlpHeaders(config)
    return typeof headers === 'string' ? headers : headers.values.map(({ name, value }) => [name, value])
  }
  expect(values({ headers: [{ name: 'A', value: 1 }], headers_list: 'b=c%20d, e=f=g' })).toEqual([
    ['b', 'c d'],
    ['e', 'f=g'],
    ['a', '1'],
  ])
  expect(values({ headers: { X: 'y', n: null }, headers_list: undefined })).toEqual([
    ['x', 'y'],
    ['n', ''],
  ])
  expect(values({ headers: 'x', headers_list: undefined })).toBe('expected a list of {name: …, value: …} or a mapping')
  expect(values({ headers: { x: [1] }, headers_list: undefined })).toBe('expected a text as the value of x')
  expect(values({ headers: undefined, headers_list: 'x' })).toBe('expected headers_list like "a=1,b=2"')
})

test('the sampler that the Collector takes and does nothing with is taken, and said', async () => {
  const yaml = `
receivers: {otlp: {protocols: {grpc: }}}
exporters: {debug: }
service:
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
  telemetry: {traces: {sampler: {jaeger_remote: {endpoint: x}}}}
`
  const { config, problems, notes } = await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: '/' }, registry)
  expect(problems).toEqual([])
  expect(config?.service.telemetry.traces.sampler).toEqual({})
  expect(notes.map(({ code, path }) => `${code} ${path}`)).toEqual([
    'CONFIG_NO_EFFECT service.telemetry.traces.sampler.jaeger_remote',
  ])
})
