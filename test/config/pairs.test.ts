import { expect, test } from 'vitest'
import builtIn from '../../src/cli/components.ts'
import { registryOf } from '../../src/component/registry.ts'
import { loadConfig } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/print.ts'

const components = registryOf(builtIn)

async function headersOf(headers: string): Promise<{ headers: unknown; printed: string }> {
  const yaml = `
receivers: {nop: }
exporters: {otlp_grpc: {endpoint: gateway:4317, headers: ${headers}}}
service: {pipelines: {traces: {receivers: [nop], exporters: [otlp_grpc]}}}
`
  const { config } = await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: '.' }, components)
  const { headers: decoded } = config!.exporters['otlp_grpc']!.config as { headers: unknown }
  return { headers: decoded, printed: printConfig(config!, components) }
}

test('headers as a list of names and values are those of the mapping, and no less secret', async () => {
  const mapping = await headersOf('{authorization: hunter2, x-tenant: hunter2}')
  const pairs = await headersOf('[{name: authorization, value: hunter2}, {value: hunter2, name: x-tenant}]')
  expect(pairs.headers).toEqual({ authorization: 'hunter2', 'x-tenant': 'hunter2' })
  expect(pairs).toEqual(mapping)
  expect(pairs.printed).not.toContain('hunter2')
  expect((await headersOf('[]')).headers).toEqual({})
})
