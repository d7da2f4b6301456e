import type { Logger } from 'pino'
import { type Batch, makeBatch, type Signal } from '../otlp/batch.ts'
import { WireError } from '../otlp/wire-error.ts'
import type { PipelineLedger } from '../telemetry/ledger.ts'
import type { Meter } from '../telemetry/meter.ts'
import { ack, type Consumer, type Delivery, nack, replace } from './delivery.ts'
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
  return {
    acknowledges: next.acknowledges,
    consume(delivery) {
      const { batch } = delivery
      let edited: Batch
      try {
        edited = runAll(passes, batch)
      } catch (error) {
        for (const pass of passes) pass.abort()
        refuse(delivery, error, env)
        return
      }
      for (const pass of passes) pass.commit(env.ledger)
      if (edited.items === 0 && batch.items > 0) ack(delivery)
      else next.consume(edited === batch ? delivery : replace(delivery, edited))
    },
  }
}

function runAll(passes: readonly Pass[], batch: Batch): Batch {
  let { chunks, items } = batch
  for (const pass of passes) {
    const result = pass.run(chunks, items)
    chunks = result.chunks
    items = result.items
  }
  return chunks === batch.chunks ? batch : makeBatch(batch.signal, chunks, items, batch.context)
}

function refuse(delivery: Delivery, error: unknown, { ledger, log }: FusionEnvironment): void {
  const malformed = error instanceof WireError
  const reason = malformed ? 'malformed' : 'processor_error'
  const message = error instanceof Error ? error.message : String(error)
  if (!malformed) log.error({ err: error }, 'a batch was refused because a processor threw: a defect of it')
  ledger.failed(reason, delivery.batch.items)
  nack(delivery, { verdict: 'reject', reason, message })
}
