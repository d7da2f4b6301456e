import { pino } from 'pino'
import type { ComponentContext } from '../component/contracts.ts'
import { ack, deliver } from '../component/delivery.ts'
import { fuse } from '../component/fusion.ts'
import { NO_NAMESAKES } from '../component/namesakes.ts'
import type { NamedProcessor } from '../component/pass.ts'
import type { ResolvedConfig, ResolvedPipeline } from '../config/resolved.ts'
import type { GraphEnvironment } from '../graph/graph.ts'
import { makeBatch } from '../otlp/batch.ts'
import { validate } from '../otlp/validate.ts'
import { PipelineLedger } from '../telemetry/ledger.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'
import { NO_TRACER } from '../telemetry/tracer.ts'
import { warmUpRequest } from './warm-up-requests.ts'

/** Requests that one pipeline is warmed with: V8 has compiled what they run after some hundred. */
const REQUESTS = 400
/** The most that all of it may take, and how long one slice keeps the event loop. */
const LONGEST_MS = 500
const SLICE_MS = 4

/**
 * Runs made-up requests through the code that real ones will take, validation, count and fused passes, so that the first of
 * those find it compiled: a cold engine is ten times dearer. Instances are its own and count into memory that nobody
 * reads. Between slices the event loop has its turn. `stop`: somebody has better use for the thread.
 */
export async function warmUp(
  config: ResolvedConfig,
  environment: GraphEnvironment,
  stop: () => boolean,
): Promise<void> {
  const end = performance.now() + LONGEST_MS
  for (const pipeline of config.service.pipelines) {
    const bytes = warmUpRequest(pipeline.signal)
    if (bytes === undefined) continue
    const run = await oneRequest(pipeline, bytes, config, environment)
    for (let left = REQUESTS; left > 0; ) {
      if (stop() || performance.now() > end) return
      const slice = performance.now() + SLICE_MS
      while (left > 0 && performance.now() < slice) {
        run()
        left--
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** What a lane does with one request of a pipeline. */
async function oneRequest(
  { id: pipeline, signal, processors }: ResolvedPipeline,
  bytes: Uint8Array,
  config: ResolvedConfig,
  environment: GraphEnvironment,
): Promise<() => void> {
  const meter = new SharedMeter(SharedMeter.memory(), () => {})
  const log = pino({ level: 'silent' })
  const ledger = new PipelineLedger(meter, pipeline)
  const chain: NamedProcessor[] = []
  for (const id of processors) {
    const found = config.processors[id]!
    const known = environment.definition('processor', found.type)
    if (known.kind !== 'processor' || !known.record) continue
    const scope = { kind: 'processor', id, signals: [signal], pipeline, extension: () => undefined } as const
    const own = { meter, log, tracer: NO_TRACER, namesakes: NO_NAMESAKES, report() {} }
    const ctx: ComponentContext = { ...environment.context(scope), ...own }
    chain.push({ id, processor: await known.record(found.config as never, ctx) })
  }
  const sink = { acknowledges: 'delivered', consume: ack } as const
  const fused = chain.length === 0 ? sink : fuse(signal, chain, { ledger, log, meter }, sink)
  return () => {
    const batch = makeBatch(signal, [bytes], validate(signal, bytes), { arrivedAt: 1 })
    fused.consume(deliver(batch, { settled() {} }))
  }
}
