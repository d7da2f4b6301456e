import {
  type Acknowledgement,
  type Consumer,
  type Delivery,
  deliver,
  type Failure,
  type Outcome,
} from '../../src/component/delivery.ts'
import { type Batch, type BatchContext, makeBatch, type Signal } from '../../src/otlp/batch.ts'

/** A delivery with a record of what travelled back. */
export interface Tracked {
  readonly delivery: Delivery
  /** `admitted`, `refused:<reason>`, `ok`, `ok:<rejected>` or `<verdict>:<reason>`, in order. */
  readonly events: string[]
  outcome?: Outcome
  refusal?: Failure
  /** The client gives up, as a receiver would hear of it. */
  readonly leave: () => void
}

/** Brings `batch` in as a receiver would, for a client that said that it leaves at `deadline`; `free` runs at the outcome. */
export function track(batch: Batch, deadline = Number.POSITIVE_INFINITY, free?: () => void): Tracked {
  const events: string[] = []
  let gone = false
  const whenGone: (() => void)[] = []
  const tracked: Tracked = {
    events,
    leave() {
      gone = true
      for (const callback of whenGone.splice(0)) callback()
    },
    delivery: deliver(batch, {
      admitted: () => void events.push('admitted'),
      refused(failure) {
        tracked.refusal = failure
        events.push(`refused:${failure.reason}`)
      },
      settled(outcome) {
        free?.()
        tracked.outcome = outcome
        events.push(describe(outcome))
      },
      waiting: {
        get awaited() {
          return !gone
        },
        get abandoned() {
          return gone
        },
        deadline,
        onAbandoned(callback) {
          if (gone) callback()
          else whenGone.push(callback)
        },
      },
    }),
  }
  return tracked
}

export function describe(outcome: Outcome): string {
  if (!outcome.ok) return `${outcome.failure.verdict}:${outcome.failure.reason}`
  return outcome.rejected === 0 ? 'ok' : `ok:${outcome.rejected}`
}

let serial = 0

/**
 * A batch of `items` items whose one chunk is a valid request of no resources: a lone unknown field (number 1000) with
 * a serial number, so that chunks can be told apart. For components that do not look inside.
 */
export function opaqueBatch(items: number, signal: Signal = 'traces', context?: Partial<BatchContext>): Batch {
  const chunk = new Uint8Array([0xc5, 0x3e, 0, 0, 0, 0])
  new DataView(chunk.buffer).setUint32(2, serial++, true)
  return makeBatch(signal, [chunk], items, { arrivedAt: 0, ...context })
}

/** A consumer that keeps what it gets until the test says what becomes of it. */
export class Sink implements Consumer {
  readonly acknowledges: Acknowledgement
  readonly deliveries: Delivery[] = []

  constructor(acknowledges: Acknowledgement = 'delivered') {
    this.acknowledges = acknowledges
  }

  consume(delivery: Delivery): void {
    this.deliveries.push(delivery)
  }

  /** Items of what arrived, in order. */
  get items(): number[] {
    return this.deliveries.map((delivery) => delivery.batch.items)
  }

  /** The last that arrived; throws where none has. */
  get last(): Delivery {
    const delivery = this.deliveries.at(-1)
    if (delivery === undefined) throw new Error('nothing arrived')
    return delivery
  }
}
