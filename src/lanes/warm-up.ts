import { pino } from 'pino'
import type { ComponentContext } from '../component/contracts.ts'
import { ack, deliver } from '../component/delivery.ts'
import { fuse } from '../component/fusion.ts'
import { NO_NAMESAKES } from '../component/namesakes.ts'
import type { NamedProcessor } from '../component/pass.ts'
import type { ResolvedConfig, ResolvedPipeline } from '../config/resolved.ts'
import type { GraphEnvironment } from '../graph/graph.ts'
import { SharedPiece } from '../memory/shared-board.ts'
import { makeBatch } from '../otlp/batch.ts'
import { validate } from '../otlp/validate.ts'
import { entriesOf, PipelineLedger } from '../telemetry/ledger.ts'
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
 * those find it compiled: a cold engine is ten times dearer. Instances are its own, and what they count, book and share is
 * nobody else's. Between slices the event loop has its turn. `stop`: somebody has better use for the thread.
 *
 * Where an instance cannot be made, or what it does throws, that pipeline stays cold: the lane works already, and what differs
 * is that here there are no extensions and the data is made up.
 */
export async function warmUp(
  config: ResolvedConfig,
  environment: GraphEnvironment,
  stop: () => boolean,
  longestMs = LONGEST_MS,
): Promise<void> {
  const end = performance.now() + longestMs
  for (const pipeline of config.service.pipelines) {
    const bytes = warmUpRequest(pipeline.signal)
    if (bytes === undefined) continue
    const run = await oneRequest(pipeline, bytes, config, environment).catch(() => undefined)
    for (let left = run === undefined ? 0 : REQUESTS; left > 0; ) {
      if (stop() || performance.now() > end) return
      left -= slice(run!, left)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** Runs for the time of a slice, at most `most` times; says how often. All of them where one throws. */
function slice(run: () => void, most: number): number {
  const end = performance.now() + SLICE_MS
  let runs = 0
  try {
    for (; runs < most && performance.now() < end; runs++) run()
  } catch {
    return most
  }
  return runs
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
    const own = {
      meter,
      log,
      tracer: NO_TRACER,
      namesakes: NO_NAMESAKES,
      ledger: entriesOf(ledger, id),
      shared: () => SharedPiece.alone(),
      report() {},
    }
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
