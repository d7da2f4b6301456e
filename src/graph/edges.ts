import { anyRefuses } from '../component/back-pressure.ts'
import {
  booksOf,
  type Consumer,
  DELIVERED,
  type Delivery,
  deliver,
  type Failure,
  fanOut,
  type Outcome,
  weakest,
} from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import type { Batch, Signal } from '../otlp/batch.ts'
import { ITEM_NAMES, type PipelineLedger } from '../telemetry/ledger.ts'
import type { Counter, Histogram, Labels, Meter } from '../telemetry/meter.ts'

/** The same batch to every one of `consumers`; one consumer is handed on as it is. */
export function broadcast(consumers: readonly Consumer[]): Consumer {
  if (consumers.length === 1) return consumers[0]!
  return {
    acknowledges: weakest(consumers),
    refusing: anyRefuses(consumers),
    consume(delivery) {
      const copies = fanOut(delivery, consumers.length)
      for (let i = 0; i < consumers.length; i++) consumers[i]!.consume(copies[i]!)
    },
  }
}

/** The ledger's reason for what a defect of a component cost. */
export const COMPONENT_ERROR = 'component_error'

export interface Defects {
  /** `consume` threw. `items` were not settled before and end by it. */
  threw(error: unknown, items: number): void
  /** The component had kept what it threw on and has settled it after all: those items have ended twice. */
  settledLate?(items: number): void
}

/** A component's `consume` that throws costs its batch and nothing else. */
export function guarded(id: string, consumer: Consumer, defects: Defects): Consumer {
  return {
    acknowledges: consumer.acknowledges,
    refusing: guardedRefusing(consumer),
    consume(delivery) {
      const once = new GuardedDelivery(delivery, defects)
      try {
        consumer.consume(once)
      } catch (error) {
        defects.threw(error, once.settled ? 0 : once.batch.items)
        once.end({
          verdict: 'reject',
          reason: COMPONENT_ERROR,
          message: `${id}: ${error instanceof Error ? error.message : String(error)}`,
        })
      }
    },
  }
}

/** A question that throws is no answer: the batch itself finds out. */
function guardedRefusing(consumer: Consumer): Consumer['refusing'] {
  if (consumer.refusing === undefined) return undefined
  return (arriving) => {
    try {
      return consumer.refusing!(arriving)
    } catch {
      return undefined
    }
  }
}

/** Settles what it stands for once, whatever a component that has thrown makes of it later. */
class GuardedDelivery implements Delivery {
  readonly #delivery: Delivery
  readonly #defects: Defects
  settled = false
  #ended = false

  constructor(delivery: Delivery, defects: Defects) {
    this.#delivery = delivery
    this.#defects = defects
  }

  get batch(): Batch {
    return this.#delivery.batch
  }

  get awaited(): boolean {
    return this.#delivery.awaited
  }

  get abandoned(): boolean {
    return this.#delivery.abandoned
  }

  get deadline(): number {
    return this.#delivery.deadline
  }

  onAbandoned(callback: () => void): void {
    this.#delivery.onAbandoned(callback)
  }

  admit(): void {
    this.#delivery.admit()
  }

  refuse(failure: Failure): void {
    this.#delivery.refuse(failure)
  }

  settle(outcome: Outcome): void {
    if (this.#ended) {
      this.#ended = false
      this.#defects.settledLate?.(this.batch.items)
      return
    }
    this.settled = true
    this.#delivery.settle(outcome)
  }

  /** Ends it in place of the component that threw. */
  end(failure: Failure): void {
    if (this.settled) return
    this.settled = true
    this.#ended = true
    // The component may have kept it, and may read its bytes at any time: their memory is not used again.
    arenas.retainAll(this.batch.chunks)
    this.#delivery.settle({ ok: false, failure })
  }
}

/** Where a pipeline begins: what passes is accepted, and from here on the ledger answers for it. */
export function entry(ledger: PipelineLedger, next: Consumer): Consumer {
  return {
    acknowledges: next.acknowledges,
    refusing: next.refusing,
    consume(delivery) {
      ledger.accepted(delivery.batch.items)
      next.consume(delivery)
    },
  }
}

/** Where a pipeline ends: the outcome of all exporters together is what its items came to. */
export function exit(ledger: PipelineLedger, duration: Histogram, exporters: Consumer): Consumer {
  return {
    acknowledges: exporters.acknowledges,
    refusing: exporters.refusing,
    consume(delivery) {
      const { batch } = delivery
      exporters.consume(
        deliver(batch, {
          admitted: () => delivery.admit(),
          refused: (failure) => delivery.refuse(failure),
          settled(outcome) {
            let arrived = batch.items
            if (outcome !== DELIVERED) {
              for (const [reason, items] of Object.entries(booksOf(outcome, batch.items))) {
                ledger.failed(reason, items)
                arrived -= items
              }
            }
            ledger.sent(arrived)
            const now = performance.timeOrigin + performance.now()
            duration.record(Math.max(0, now - batch.context.arrivedAt) / 1000)
            delivery.settle(outcome)
          },
          waiting: delivery,
        }),
      )
    },
  }
}

interface ReceiverCounters {
  readonly accepted: Counter
  readonly refused: Counter
  readonly failed: Counter
  readonly requests: { readonly success: Counter; readonly refused: Counter; readonly failure: Counter }
}

function took({ accepted, requests }: ReceiverCounters, items: number): void {
  accepted.add(items)
  requests.success.add(1)
}

function turnedAway({ refused, failed, requests }: ReceiverCounters, items: number, { reason }: Failure): void {
  const own = reason === COMPONENT_ERROR
  ;(own ? failed : refused).add(items)
  ;(own ? requests.failure : requests.refused).add(1)
}

/**
 * What a receiver hands its batches to: counts what was accepted and what was refused, as the client was told, under the
 * Collector's names.
 */
export function receiverOutput(receiver: string, signal: Signal, meter: Meter, next: Consumer): Consumer {
  const items = ITEM_NAMES[signal]
  const requests = (labels: Labels, outcome: string): Counter =>
    meter.counter(
      'otelcol_receiver_requests',
      { ...labels, 'otel.signal': signal, outcome },
      { description: 'Number of requests with items, by what their clients were told.', unit: '{requests}' },
    )
  const counters = new Map<string, ReceiverCounters>()
  const countersOf = (transport: string): ReceiverCounters => {
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
        failed: meter.counter(`otelcol_receiver_failed_${items}`, labels, {
          description: `Number of ${items} that failed by a defect of a component.`,
          unit: `{${items}}`,
        }),
        requests: {
          success: requests(labels, 'success'),
          refused: requests(labels, 'refused'),
          failure: requests(labels, 'failure'),
        },
      }
      counters.set(transport, pair)
    }
    return pair
  }
  return {
    acknowledges: next.acknowledges,
    refusing: next.refusing,
    consume(delivery) {
      const { batch } = delivery
      const counts = countersOf(delivery.batch.context.transport ?? '')
      let answered = false
      next.consume(
        deliver(delivery.batch, {
          admitted() {
            answered = true
            took(counts, batch.items)
            delivery.admit()
          },
          refused(failure) {
            answered = true
            turnedAway(counts, batch.items, failure)
            delivery.refuse(failure)
          },
          settled(outcome) {
            if (!answered) {
              if (outcome.ok) took(counts, batch.items)
              else turnedAway(counts, batch.items, outcome.failure)
            }
            delivery.settle(outcome)
          },
          waiting: delivery,
        }),
      )
    },
  }
}
