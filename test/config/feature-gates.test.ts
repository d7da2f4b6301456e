import { expect, test } from 'vitest'
import builtIn from '../../src/cli/components.ts'
import { featureGates } from '../../src/cli/list-feature-gates.ts'
import { registryOf } from '../../src/component/registry.ts'
import { FEATURE_GATES } from '../../src/config/feature-gates.ts'
import { type Loaded, loadConfig } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'

const registry = registryOf(builtIn)

const PIPELINE = `
receivers: {otlp: {protocols: {grpc: }}}
exporters: {nop: , nop/2: , otlp_grpc: {endpoint: "localhost:4317"}, otlp_http: {endpoint: "http://localhost:4318", sending_queue: {batch: {min_size: 5}}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [nop, nop/2, otlp_grpc, otlp_http]}}}
`

async function load(featureGates: readonly string[], ...yaml: readonly string[]): Promise<Loaded> {
  const config = yaml.map((text) => `yaml:${text}`)
  return await loadConfig({ config, featureGates, env: {}, cwd: '.' }, registry)
}

test('gates that do not exist, or that this version does not have, are named where they stand', async () => {
  const gates = ['service.AllowNoPipeline,-nope,', '+service.partialReload,telemetry.newPipelineTelemetry']
  const { problems, config } = await load(gates, PIPELINE)
  expect(config).toBeUndefined()
  expect(problems.map(formatProblem)).toEqual([
    '--feature-gates:1:1  service.AllowNoPipeline: there is no such feature gate; did you mean "service.AllowNoPipelines"?  (CONFIG_FEATURE_GATE)',
    '--feature-gates:1:25  nope: there is no such feature gate; "sluice featuregate" lists those there are  (CONFIG_FEATURE_GATE)',
    '--feature-gates:1:31  expected the id of a feature gate between commas  (CONFIG_FEATURE_GATE)',
    '--feature-gates:1:32  service.partialReload: not supported: this version does not reload  (CONFIG_FEATURE_GATE)',
    '--feature-gates:1:55  telemetry.newPipelineTelemetry: not supported: components are named by labels of the series  (CONFIG_FEATURE_GATE)',
  ])
})

test('what is off may be turned off, and what has no effect is noted', async () => {
  const off = FEATURE_GATES.map(({ id }) => `-${id}`).join(',')
  const { problems, notes } = await load([off, 'service.profilesSupport'], PIPELINE)
  expect(problems).toEqual([])
  expect(notes.filter(({ file }) => file === '--feature-gates').map(({ path }) => path)).toEqual([
    'pdata.useProtoPooling',
    'service.profilesSupport',
    'service.profilesSupport',
  ])
})

test('gates that the Collector has settled may be on, not off', async () => {
  const { problems, notes } = await load(['service.graph,-confmap.unifyEnvVarExpansion'], PIPELINE)
  expect(problems.map(formatProblem)).toEqual([
    '--feature-gates:1:15  confmap.unifyEnvVarExpansion: cannot be turned off any more: it is how it always is  (CONFIG_FEATURE_GATE)',
  ])
  expect(notes.map(({ path }) => path)).toEqual(['service.graph'])
})

test('service.AllowNoPipelines', async () => {
  const alone = 'service: {telemetry: {metrics: {level: none}}}'
  expect((await load([], alone)).problems.map(({ code }) => code)).toEqual([
    'CONFIG_REQUIRED',
    'CONFIG_REQUIRED',
    'CONFIG_PIPELINE',
  ])
  const { problems, config } = await load(['service.AllowNoPipelines'], alone)
  expect(problems).toEqual([])
  expect(config!.service.pipelines).toEqual([])
})

test('confmap.enableMergeAppendOption joins the lists of ids under service, each id once', async () => {
  const later = `
processors: {batch: , resource: {attributes: [{key: a, value: b, action: insert}]}}
extensions: {zpages: , pprof: }
service:
  extensions: [zpages]
  pipelines: {traces: {exporters: [nop], processors: [batch]}}
`
  const last = 'service: {extensions: [pprof], pipelines: {traces: {exporters: [nop, nop/2], processors: [resource]}}}'
  const lists = async (gates: readonly string[]): Promise<unknown> => {
    const { config, problems } = await load(gates, PIPELINE, later, last)
    expect(problems).toEqual([])
    const { receivers, processors, exporters } = config!.service.pipelines[0]!
    return { extensions: config!.service.extensions, receivers, processors, exporters }
  }
  expect(await lists([])).toEqual({
    extensions: ['pprof'],
    receivers: ['otlp'],
    processors: ['resource'],
    exporters: ['nop', 'nop/2'],
  })
  expect(await lists(['confmap.enableMergeAppendOption'])).toEqual({
    extensions: ['zpages', 'pprof'],
    receivers: ['otlp'],
    // Their order matters, so they are replaced in any case.
    processors: ['resource'],
    exporters: ['nop', 'nop/2', 'otlp_grpc', 'otlp_http'],
  })
})

test('pkg.exporterhelper.queueBatchEnabled', async () => {
  const batches = async (gates: readonly string[]): Promise<unknown> => {
    const { config } = await load(gates, PIPELINE)
    const queueOf = (id: string): { batch?: { min_size: number } } | undefined =>
      config!.exporters[id]!.config['sending_queue'] as { batch?: { min_size: number } } | undefined
    return [queueOf('otlp_grpc')?.batch?.min_size, queueOf('otlp_http')?.batch?.min_size, queueOf('nop')]
  }
  expect(await batches([])).toEqual([undefined, 5, undefined])
  expect(await batches(['+pkg.exporterhelper.queueBatchEnabled'])).toEqual([8192, 5, undefined])
})

test('featuregate lists them, or tells of one', () => {
  const lines = featureGates()!.trimEnd().split('\n')
  expect(lines).toHaveLength(1 + FEATURE_GATES.length)
  expect(lines[0]).toMatch(/^ID +Enabled +Stage +Description$/)
  expect(lines.slice(1).map((line) => line.split(' ')[0])).toEqual(FEATURE_GATES.map(({ id }) => id).sort())
  expect(featureGates('pdata.useProtoPooling')).toMatch(
    /^Feature: pdata.useProtoPooling\nEnabled: false\nStage: Alpha\nDescription: .+\nHere: has no effect: .+\n$/,
  )
  expect(featureGates('nope')).toBeUndefined()
})
