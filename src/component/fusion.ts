import type { Logger } from 'pino'
import { arenas } from '../otlp/arena.ts'
import { type Batch, makeBatch, type Signal } from '../otlp/batch.ts'
import { WireError } from '../otlp/wire-error.ts'
import { SHORT_SECONDS } from '../telemetry/boundaries.ts'
import type { PipelineLedger } from '../telemetry/ledger.ts'
import type { Meter } from '../telemetry/meter.ts'
import { ack, type Consumer, type Delivery, deliver, nack } from './delivery.ts'
import { type NamedProcessor, Pass } from './pass.ts'
import { planPasses } from './passes.ts'

export interface FusionEnvironment {
  readonly ledger: PipelineLedger
  readonly log: Logger
  readonly meter: Meter
}

/**
 * Consecutive record processors as one consumer: one scan and one write for as many of them as may share a pass
 * (`planPasses`). A batch passes whole or not at all: edits, drops and the processors' own state take effect when every
 * pass over every chunk succeeded. What no processor touched leaves as the very bytes that came.
 */
export function fuse(
  signal: Signal,
  chain: readonly NamedProcessor[],
  env: FusionEnvironment,
  next: Consumer,
): Consumer {
  const ids = new Map(chain.map(({ id, processor }) => [processor, id]))
  const passes = planPasses(chain.map(({ processor }) => processor)).map(
    (run) =>
      new Pass(
        signal,
        run.map((processor) => ({ id: ids.get(processor)!, processor })),
        env.meter,
      ),
  )
  const duration = env.meter.histogram(
    'otelcol_processor_internal_duration',
    { processor: chain.map(({ id }) => id).join(','), 'otel.signal': signal },
    {
      description: 'Seconds of a processor on a batch, without those behind it; fused processors count as one.',
      unit: 's',
      boundaries: SHORT_SECONDS,
    },
  )
  return {
    acknowledges: next.acknowledges,
    refusing: next.refusing,
    consume(delivery) {
      const { batch } = delivery
      const started = performance.now()
      let edited: Batch
      try {
        edited = runAll(passes, batch)
      } catch (error) {
        for (const pass of passes) pass.abort()
        refuse(delivery, error, env)
        return
      }
      for (const pass of passes) pass.commit(env.ledger, env.log)
      duration.record((performance.now() - started) / 1000)
      if (edited === batch) next.consume(delivery)
      else if (edited.items === 0 && batch.items > 0) {
        arenas.releaseAll(written(edited.chunks, batch.chunks))
        ack(delivery)
      } else next.consume(replacing(delivery, edited))
    },
  }
}

function runAll(passes: readonly Pass[], batch: Batch): Batch {
  let { chunks, items } = batch
  for (const pass of passes) {
    const result = pass.run(chunks, items)
    // What an earlier pass wrote and this one wrote anew is nobody's any more.
    arenas.releaseAll(written(written(chunks, batch.chunks), result.chunks))
    chunks = result.chunks
    items = result.items
  }
  return chunks === batch.chunks ? batch : makeBatch(batch.signal, chunks, items, batch.context)
}

/** Those of `chunks` that are not among `before`. */
function written(chunks: readonly Uint8Array[], before: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks === before) return NONE
  // A joined batch may have thousands of chunks.
  const old = new Set(before)
  return chunks.filter((chunk) => !old.has(chunk))
}

const NONE: readonly Uint8Array[] = []

/** The edited batch in the place of the delivered one; what the passes wrote is free again once it is settled. */
function replacing(delivery: Delivery, edited: Batch): Delivery {
  const own = written(edited.chunks, delivery.batch.chunks)
  return deliver(edited, {
    admitted: () => delivery.admit(),
    refused: (failure) => delivery.refuse(failure),
    settled(outcome) {
      arenas.releaseAll(own)
      delivery.settle(outcome)
    },
    waiting: delivery,
  })
}

function refuse(delivery: Delivery, error: unknown, { ledger, log }: FusionEnvironment): void {
  const malformed = error instanceof WireError
  const reason = malformed ? 'malformed' : 'processor_error'
  const message = error instanceof Error ? error.message : String(error)
  if (!malformed) log.error({ err: error }, 'a batch was refused because a processor threw: a defect of it')
  ledger.failed(reason, delivery.batch.items)
  nack(delivery, { verdict: 'reject', reason, message })
}
