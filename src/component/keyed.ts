import { arenas } from '../otlp/arena.ts'
import { type Batch, makeBatch } from '../otlp/batch.ts'
import { Partition } from '../otlp/partition.ts'
import type { KeyedSignal, RecordKey } from '../otlp/record-key.ts'
import { WireError } from '../otlp/wire-error.ts'
import type { ComponentContext } from './contracts.ts'
import { type Consumer, type Delivery, nack, split } from './delivery.ts'
import { laneRing } from './ring.ts'

/** What `keyed` needs of a component's context. */
export type KeyedContext = Pick<ComponentContext, 'id' | 'lane' | 'namesakes' | 'ledger'>

/**
 * Has `consumer` get every record of a key in the one lane that owns the key, for state that needs all of a trace or of a series. What comes
 * in here is taken apart by `key`; parts that other lanes own go to the namesakes there, and theirs of this lane's keys come here.
 * Called once, in `create`; the result is what the component hands to the engine as its `consume`.
 *
 * Records of one key that one lane hands over arrive in their order. A lane that is being replaced keeps its keys: what it should
 * get meanwhile is refused, for its sender to come again, as is what a lane has no room for. Records without a key stay where they
 * came in.
 */
export function keyed(signal: KeyedSignal, key: RecordKey, ctx: KeyedContext, consumer: Consumer): Consumer {
  if (ctx.lane.count === 1) return consumer
  ctx.namesakes.receive(consumer)
  return new Keyed(signal, key, ctx, consumer)
}

class Keyed implements Consumer {
  readonly #ctx: KeyedContext
  readonly #consumer: Consumer
  readonly #partition: Partition
  /** Chunks of each lane's part, while a batch is taken apart. */
  readonly #chunks: Uint8Array[][]
  readonly #items: Float64Array

  constructor(signal: KeyedSignal, key: RecordKey, ctx: KeyedContext, consumer: Consumer) {
    const lanes = ctx.lane.count
    const ring = laneRing(lanes)
    this.#ctx = ctx
    this.#consumer = consumer
    this.#partition = new Partition(signal, key, lanes, (hash) => ring.ownerOf(hash))
    this.#chunks = Array.from({ length: lanes }, () => [])
    this.#items = new Float64Array(lanes)
  }

  get acknowledges(): Consumer['acknowledges'] {
    return this.#consumer.acknowledges
  }

  consume(delivery: Delivery): void {
    const { batch } = delivery
    const written: Uint8Array[] = []
    let parts: Batch[]
    try {
      parts = this.#takeApart(batch, written)
    } catch (error) {
      arenas.releaseAll(written)
      if (!(error instanceof WireError)) throw error
      this.#ctx.ledger?.failed(batch.signal, 'malformed', batch.items)
      nack(delivery, { verdict: 'reject', reason: 'malformed', message: `processor ${this.#ctx.id}: ${error.message}` })
      return
    }
    if (parts.length === 1) {
      this.#pass(delivery, this.#owners[0]!, false)
      return
    }
    const own = new Set(written)
    const deliveries = split(delivery, parts, ({ chunks }) => {
      for (const chunk of chunks) if (own.has(chunk)) arenas.release(chunk)
    })
    const owners = this.#owners.slice()
    for (let i = 0; i < parts.length; i++) {
      // What was written for this part alone nobody else reads.
      this.#pass(
        deliveries[i]!,
        owners[i]!,
        parts[i]!.chunks.every((chunk) => own.has(chunk)),
      )
    }
  }

  /** Lanes of the parts that `#takeApart` gave last. */
  readonly #owners: number[] = []

  /** The parts by lane; a batch that one lane owns comes back as it is. `written` gets the chunks that were written. */
  #takeApart(batch: Batch, written: Uint8Array[]): Batch[] {
    const home = this.#ctx.lane.index
    const chunks = this.#chunks
    const owners = this.#owners
    owners.length = 0
    this.#items.fill(0)
    for (const each of chunks) each.length = 0
    for (const chunk of batch.chunks) {
      for (const part of this.#partition.split(chunk, home)) {
        if (part.bytes !== chunk) written.push(part.bytes)
        chunks[part.owner]!.push(part.bytes)
        this.#items[part.owner]! += part.items
      }
    }
    for (let lane = 0; lane < chunks.length; lane++) if (chunks[lane]!.length > 0) owners.push(lane)
    if (owners.length === 0) owners.push(home)
    if (owners.length === 1) return [batch]
    return owners.map((lane) => makeBatch(batch.signal, chunks[lane]!.slice(), this.#items[lane]!, batch.context))
  }

  #pass(delivery: Delivery, lane: number, sole: boolean): void {
    const { id, lane: here, ledger, namesakes } = this.#ctx
    if (lane === here.index) {
      this.#consumer.consume(delivery)
      return
    }
    if (namesakes.give(lane, delivery, sole)) return
    const { signal, items } = delivery.batch
    ledger?.failed(signal, 'lane_busy', items)
    nack(delivery, {
      verdict: 'retry',
      reason: 'lane_busy',
      message: `processor ${id}: the lane that owns these keys has no room or is being replaced; send again`,
    })
  }
}
