import type { RecordProcessorDefinition } from '../../../src/component/define.ts'
import { deliver } from '../../../src/component/delivery.ts'
import { fuse } from '../../../src/component/fusion.ts'
import type { Fields } from '../../../src/config/field.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { formatProblem } from '../../../src/config/problem.ts'
import { createRegistry, type Described } from '../../../src/config/registry.ts'
import { makeBatch, type Signal } from '../../../src/otlp/batch.ts'
import { countItems } from '../../../src/otlp/count.ts'
import { PipelineLedger } from '../../../src/telemetry/ledger.ts'
import { type TestContext, testContext } from '../../support/context.ts'

/** A record processor in a pipeline of its own, the way the engine runs it. */
export interface Running {
  readonly ctx: TestContext
  /** What comes out for a request: undefined where nothing does. */
  run(request: Uint8Array): Uint8Array | undefined
}

export async function startRecordProcessor(
  definition: RecordProcessorDefinition,
  signal: Signal,
  options: object,
): Promise<Running> {
  const ctx = testContext({ kind: 'processor', id: definition.type, signals: [signal], pipeline: signal })
  const processor = await definition.record(await resolveOptions(definition, signal, options), ctx)
  let out: Uint8Array | undefined
  const environment = { ledger: new PipelineLedger(ctx.meter, signal), log: ctx.log, meter: ctx.meter }
  const pipeline = fuse(signal, [{ id: ctx.id, processor }], environment, {
    acknowledges: 'delivered',
    consume(delivery) {
      // A copy: what a pass wrote is overwritten once its delivery is settled.
      out = Buffer.concat(delivery.batch.chunks)
      delivery.settle({ ok: true, rejected: 0 })
    },
  })
  return {
    ctx,
    run(request) {
      out = undefined
      const batch = makeBatch(signal, [request], countItems(signal, request), { arrivedAt: 0 })
      pipeline.consume(
        deliver(batch, {
          settled(outcome) {
            if (!outcome.ok) throw new Error(outcome.failure.message)
          },
        }),
      )
      return out
    },
  }
}

/** The options as the loader hands them to the component; throws the problems it finds, one a line. */
export async function resolveOptions(definition: RecordProcessorDefinition, signal: Signal, options: object) {
  const { config, problems } = await load(definition, [signal], options)
  if (config === undefined) throw new Error(problems.join('\n'))
  return config
}

/** What is wrong with the options, as `sluice validate` prints it but without the place; `pipelines` are ids. */
export async function problemsOf(
  definition: RecordProcessorDefinition,
  pipelines: string | readonly string[],
  options: object,
): Promise<string[]> {
  return (await load(definition, [pipelines].flat(), options)).problems
}

async function load(definition: RecordProcessorDefinition, pipelines: readonly string[], options: object) {
  const end = (kind: 'receiver' | 'exporter'): Described => ({
    kind,
    type: 'nop',
    signals: ['traces', 'metrics', 'logs'],
    summary: 'An end of the pipeline.',
    config: {} satisfies Fields,
  })
  const registry = createRegistry<Described>([end('receiver'), end('exporter'), definition as Described])
  const pipeline = { receivers: ['nop'], processors: [definition.type], exporters: ['nop'] }
  const yaml = JSON.stringify({
    receivers: { nop: {} },
    processors: { [definition.type]: options },
    exporters: { nop: {} },
    service: { pipelines: Object.fromEntries(pipelines.map((id) => [id, pipeline])) },
  })
  const loaded = await loadConfig({ config: [`yaml:${yaml}`], env: {}, cwd: '/' }, registry)
  const component = loaded.config?.processors[definition.type]
  return {
    config: component?.config,
    problems: loaded.problems.map((problem) => formatProblem(problem).replace(/^\S+\s+/, '')),
  }
}
