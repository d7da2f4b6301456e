import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Clock } from '../clock.ts'
import { DELIVERED, type Delivery, type Failure, type Outcome } from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import * as crossing from './crossing.ts'
import { type Arrival, TakenDelivery } from './taken-delivery.ts'

/** What of a delivery that was given is still with the giver: the duty to settle it. */
interface Given {
  readonly delivery: Delivery
  readonly books: Crossed | undefined
}

/** The books that deliveries are in while they are handed over, where they are in any. */
export interface Crossed {
  /** So many items leave this lane. Called before they do: what leaves and is in no books after that was lost on its way. */
  leaves(items: number): void
  /** The other lane ended without having begun with them; what it had begun with is in its own books. */
  lost(items: number): void
}

/** How much the other lane may have waiting that it has not begun with. */
export interface Bounds {
  readonly batches: number
  readonly bytes: number
}

export interface LinkEvents {
  /** Takes what the other lane gives; false, with nothing done, where nothing has that address. */
  arrived(address: string, arrival: Arrival): boolean
  told(address: string, bytes: Uint8Array): void
  /** The other lane has ended. */
  closed(): void
}

/**
 * This lane's way to one other, and back. A delivery that is given stays in the giver's books and byte budget until its answer
 * comes back: what goes over is its bytes.
 *
 * How many deliveries the other side has taken is counted in memory that both see, so that the giver knows at any moment what still
 * waits over there, and, when the other lane has died, which deliveries it had begun with. Ports keep the order.
 */
export class Link {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #events: LinkEvents
  /** How many deliveries of ours the other side has begun with, counted round 2^32: it alone writes. */
  readonly #begunThere = new Int32Array(new SharedArrayBuffer(4))
  /** How many of theirs we have: we alone write. */
  #begunHere: Int32Array = new Int32Array(1)
  readonly #given = new Map<number, Given>()
  readonly #taken = new Map<number, TakenDelivery>()
  /** Sizes of what waits over there, first first; those before `#sizesFrom` have been taken. */
  readonly #sizes: number[] = []
  #sizesFrom = 0
  /** The next message of outcomes, and the memory that goes with it. */
  readonly #outcomes: unknown[] = []
  readonly #returning: ArrayBuffer[] = []
  #flush: NodeJS.Immediate | undefined
  #waitingBytes = 0
  #count = 0
  #closed = false

  constructor(port: MessagePort, clock: Clock, events: LinkEvents) {
    this.#port = port
    this.#clock = clock
    this.#events = events
    port.on('message', (message: crossing.Crossing) => {
      if (!this.#closed) this.#hear(message)
    })
    // Comes after every message that the other lane sent before it ended.
    port.once('close', () => this.#end(true))
    port.unref()
    port.postMessage([crossing.HELLO, this.#begunThere] satisfies crossing.Crossing)
  }

  /** Deliveries that were given and are not settled. */
  get unsettled(): number {
    return this.#given.size
  }

  /** Whether more than that waits over there to be begun with. */
  exceeds({ batches, bytes }: Bounds): boolean {
    const sizes = this.#sizes
    const left = (this.#count - Atomics.load(this.#begunThere, 0)) | 0
    while (sizes.length - this.#sizesFrom > left) this.#waitingBytes -= sizes[this.#sizesFrom++]!
    if (this.#sizesFrom === sizes.length || this.#sizesFrom > MOST_STALE_SIZES) {
      sizes.splice(0, this.#sizesFrom)
      this.#sizesFrom = 0
    }
    return left > batches || this.#waitingBytes > bytes
  }

  /** `sole`: the batch's memory may be taken along, see `pack`. */
  give(address: string, delivery: Delivery, sole: boolean, books?: Crossed): void {
    const { batch, awaited } = delivery
    const id = this.#count++
    const patience = awaited ? Math.max(0, delivery.deadline - this.#clock.monotonic()) : -1
    this.#given.set(id, { delivery, books })
    this.#sizes.push(batch.byteLength)
    this.#waitingBytes += batch.byteLength
    const packed = crossing.pack(batch.chunks, sole)
    const message = crossing.deliveryCrossing(id, address, batch, packed, patience)
    books?.leaves(batch.items)
    this.#port.postMessage(message, packed.buffers)
    if (!awaited) return
    delivery.onAbandoned(() => {
      if (this.#given.has(id)) this.#port.postMessage([crossing.ABANDONED, id] satisfies crossing.Crossing)
    })
  }

  tell(address: string, bytes: Uint8Array): void {
    // A clone takes all of the buffer that a view is of.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
    this.#port.postMessage([crossing.TOLD, address, own] satisfies crossing.Crossing)
  }

  /** The other lane has ended. Whoever tells may do so before all that it had said has been heard. Safe twice. */
  gone(): void {
    if (this.#closed) return
    // Of a port that has told of its end Node must not be asked: it crashes (24.21). Such a one has called `close`.
    for (let last = receiveMessageOnPort(this.#port); last; last = receiveMessageOnPort(this.#port)) {
      this.#hear(last.message as crossing.Crossing)
    }
    this.#end(true)
  }

  /**
   * Ends the way from here: what the other lane has of ours counts as lost to us, though it may begin with what it has not read, and it hears
   * nothing of what we have of it. Safe twice.
   */
  close(): void {
    this.#end(false)
  }

  /** `other`: the other lane has ended the way, and begins with nothing more. */
  #end(other: boolean): void {
    if (this.#closed) return
    this.#postOutcomes()
    clearImmediate(this.#flush)
    this.#closed = true
    this.#port.close()
    const begun = Atomics.load(this.#begunThere, 0)
    const given = [...this.#given]
    this.#given.clear()
    const taken = [...this.#taken.values()]
    this.#taken.clear()
    this.#events.closed()
    for (const each of taken) each.giverGone()
    for (const [id, { delivery, books }] of given) {
      if (other && ((id - begun) | 0) >= 0) books?.lost(delivery.batch.items)
      delivery.settle({ ok: false, failure: LANE_LOST })
    }
  }

  #hear(message: crossing.Crossing): void {
    switch (message[0]) {
      case crossing.DELIVERY:
        this.#take(message)
        break
      case crossing.SETTLED:
        this.#settled(message)
        break
      case crossing.ADMITTED:
        this.#given.get(message[1])?.delivery.admit()
        break
      case crossing.REFUSED:
        this.#given.get(message[1])?.delivery.refuse(message[2])
        break
      case crossing.ABANDONED:
        this.#taken.get(message[1])?.abandon()
        break
      case crossing.TOLD:
        this.#events.told(message[1], message[2])
        break
      case crossing.HELLO:
        this.#begunHere = message[1]
        break
      case crossing.RETURNED:
        this.#returned(message[1])
        break
    }
  }

  #settled(message: readonly unknown[]): void {
    for (let i = 1; i < message.length; i += 3) {
      for (const buffer of crossing.buffersOf(message[i + 2] as crossing.Memory)) {
        arenas.adopt(buffer)
        arenas.release(new Uint8Array(buffer))
      }
      const id = message[i] as number
      const given = this.#given.get(id)
      if (given === undefined) continue
      this.#given.delete(id)
      const outcome = message[i + 1] as Outcome | 0
      given.delivery.settle(outcome === 0 ? DELIVERED : outcome)
    }
  }

  #take(message: crossing.DeliveryCrossing): void {
    const [, id, address, , , memory, , patience] = message
    const batch = crossing.arrivedBatch(message)
    const deadline = patience < 0 ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + patience
    const taken = new TakenDelivery(id, memory, patience >= 0, deadline, this.#answers)
    this.#taken.set(id, taken)
    const arrived = this.#events.arrived(address, {
      delivery: taken.delivery(batch),
      begun: () => void Atomics.store(this.#begunHere, 0, (id + 1) | 0),
    })
    if (arrived) return
    this.#taken.delete(id)
    for (const buffer of crossing.buffersOf(memory)) arenas.release(new Uint8Array(buffer))
    this.#answer([crossing.RETURNED, id])
  }

  #returned(id: number): void {
    const given = this.#given.get(id)
    if (given === undefined) return
    this.#given.delete(id)
    given.books?.lost(given.delivery.batch.items)
    given.delivery.settle({ ok: false, failure: LANE_LOST })
  }

  readonly #answers = {
    admitted: (id: number): void => this.#answer([crossing.ADMITTED, id]),
    refused: (id: number, failure: Failure): void => this.#answer([crossing.REFUSED, id, failure]),
    settled: (id: number, outcome: Outcome, memory: crossing.Memory): void => {
      this.#taken.delete(id)
      if (this.#closed) return
      if (this.#outcomes.length === 0) {
        this.#outcomes.push(crossing.SETTLED)
        this.#flush ??= setImmediate(() => {
          this.#flush = undefined
          this.#postOutcomes()
        })
      }
      this.#outcomes.push(id, outcome === DELIVERED ? 0 : outcome, memory)
      for (const buffer of crossing.buffersOf(memory)) this.#returning.push(buffer)
      if (this.#outcomes.length > 3 * MOST_OUTCOMES) this.#postOutcomes()
    },
  }

  #postOutcomes(): void {
    if (this.#closed || this.#outcomes.length === 0) return
    this.#port.postMessage(this.#outcomes, this.#returning)
    this.#outcomes.length = 0
    this.#returning.length = 0
  }

  #answer(message: crossing.Crossing): void {
    if (!this.#closed) this.#port.postMessage(message)
  }
}

/** Deliveries are often settled one after the other: a message for several outcomes saves a third of a hand-over. */
const MOST_OUTCOMES = 8

const MOST_STALE_SIZES = 1024

const LANE_LOST: Failure = {
  verdict: 'retry',
  reason: 'lane_lost',
  message: 'the worker thread that had the data ended; send it again',
}
