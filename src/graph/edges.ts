import { type Consumer, type Delivery, deliver, fanOut, nack, weakest } from '../component/delivery.ts'
import type { Signal } from '../otlp/batch.ts'
import { ITEM_NAMES, type PipelineLedger } from '../telemetry/ledger.ts'
import type { Counter, Meter } from '../telemetry/meter.ts'

/** The same batch to every one of `consumers`; one consumer is handed on as it is. */
export function broadcast(consumers: readonly Consumer[]): Consumer {
  if (consumers.length === 1) return consumers[0]!
  return {
    acknowledges: weakest(consumers),
    consume(delivery) {
      const copies = fanOut(delivery, consumers.length)
      for (let i = 0; i < consumers.length; i++) consumers[i]!.consume(copies[i]!)
    },
  }
}

/** The ledger's reason for what a defect of a component cost. */
export const COMPONENT_ERROR = 'component_error'

/** A component's `consume` that throws costs its batch and nothing else. `onDefect` also gets the items that ended so. */
export function guarded(id: string, consumer: Consumer, onDefect: (error: unknown, items: number) => void): Consumer {
  return {
    acknowledges: consumer.acknowledges,
    consume(delivery) {
      const once = settledOnce(delivery)
      try {
        consumer.consume(once)
      } catch (error) {
        onDefect(error, once.settled ? 0 : once.batch.items)
        if (!once.settled) {
          const message = `${id}: ${error instanceof Error ? error.message : String(error)}`
          nack(once, { verdict: 'reject', reason: COMPONENT_ERROR, message })
        }
      }
    },
  }
}

interface OnceDelivery extends Delivery {
  readonly settled: boolean
}

function settledOnce(delivery: Delivery): OnceDelivery {
  let settled = false
  return {
    batch: delivery.batch,
    get awaited() {
      return delivery.awaited
    },
    get settled() {
      return settled
    },
    admit: () => delivery.admit(),
    refuse: (failure) => delivery.refuse(failure),
    settle(outcome) {
      settled = true
      delivery.settle(outcome)
    },
  }
}

/** Where a pipeline begins: what passes is accepted, and from here on the ledger answers for it. */
export function entry(ledger: PipelineLedger, next: Consumer): Consumer {
  return {
    acknowledges: next.acknowledges,
    consume(delivery) {
      ledger.accepted(delivery.batch.items)
      next.consume(delivery)
    },
  }
}

/** Where a pipeline ends: the outcome of all exporters together is what its items came to. */
export function exit(ledger: PipelineLedger, exporters: Consumer): Consumer {
  return {
    acknowledges: exporters.acknowledges,
    consume(delivery) {
      const { batch } = delivery
      exporters.consume(
        deliver(batch, {
          admitted: () => delivery.admit(),
          refused: (failure) => delivery.refuse(failure),
          settled(outcome) {
            if (outcome.ok) {
              ledger.sent(batch.items - outcome.rejected)
              if (outcome.rejected > 0) ledger.failed('rejected', outcome.rejected)
            } else {
              ledger.failed(outcome.failure.reason, batch.items)
            }
            delivery.settle(outcome)
          },
          awaited: () => delivery.awaited,
        }),
      )
    },
  }
}

/**
 * What a receiver hands its batches to: counts what was accepted and what was refused, as the client was told, under the
 * Collector's names.
 */
export function receiverOutput(receiver: string, signal: Signal, meter: Meter, next: Consumer): Consumer {
  const items = ITEM_NAMES[signal]
  const counters = new Map<string, { readonly accepted: Counter; readonly refused: Counter }>()
  const countersOf = (transport: string): { readonly accepted: Counter; readonly refused: Counter } => {
    let pair = counters.get(transport)
    if (pair === undefined) {
      const labels = { receiver, transport }
      pair = {
        accepted: meter.counter(`otelcol_receiver_accepted_${items}`, labels, {
          description: `Number of ${items} successfully pushed into the pipeline.`,
          unit: `{${items}}`,
        }),
        refused: meter.counter(`otelcol_receiver_refused_${items}`, labels, {
          description: `Number of ${items} that could not be pushed into the pipeline.`,
          unit: `{${items}}`,
        }),
      }
      counters.set(transport, pair)
    }
    return pair
  }
  return {
    acknowledges: next.acknowledges,
    consume(delivery) {
      const { accepted, refused } = countersOf(delivery.batch.context.transport ?? '')
      let answered = false
      next.consume(
        deliver(delivery.batch, {
          admitted() {
            answered = true
            accepted.add(delivery.batch.items)
            delivery.admit()
          },
          refused(failure) {
            answered = true
            refused.add(delivery.batch.items)
            delivery.refuse(failure)
          },
          settled(outcome) {
            if (!answered) (outcome.ok ? accepted : refused).add(delivery.batch.items)
            delivery.settle(outcome)
          },
          awaited: () => delivery.awaited,
        }),
      )
    },
  }
}
