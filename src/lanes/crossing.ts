import type { Failure, Outcome } from '../component/delivery.ts'
import { arenas } from '../otlp/arena.ts'
import { type Batch, type BatchContext, makeBatch, type Signal } from '../otlp/batch.ts'

/*
 * What crosses between two lanes. Flat arrays, because a structured clone costs for every object, and for the name of every
 * property: 1.5 of 7 µs there and back. Whoever gave a delivery numbers it, and answers carry that number back.
 */

export const HELLO = 0
export const DELIVERY = 1
export const ABANDONED = 2
export const ADMITTED = 3
export const REFUSED = 4
export const SETTLED = 5
export const RETURNED = 6
export const TOLD = 7

export type Crossing =
  /** First of all: where the other side counts the deliveries that it has taken. */
  | readonly [type: typeof HELLO, begun: Int32Array]
  | DeliveryCrossing
  | readonly [type: typeof ABANDONED, id: number]
  | readonly [type: typeof ADMITTED, id: number]
  | readonly [type: typeof REFUSED, id: number, failure: Failure]
  /** Several together, three elements each: the number; the outcome, 0 for DELIVERED; the memory that comes back. */
  | readonly [type: typeof SETTLED, ...settled: readonly (number | Outcome | Memory)[]]
  /** There is nothing at the address: the delivery is the giver's again, but for its bytes. */
  | readonly [type: typeof RETURNED, id: number]
  | readonly [type: typeof TOLD, address: string, bytes: Uint8Array]

/** Buffers; the one that there mostly is stands for itself. */
export type Memory = ArrayBuffer | readonly ArrayBuffer[]

export type DeliveryCrossing = readonly [
  type: typeof DELIVERY,
  id: number,
  address: string,
  signal: Signal,
  items: number,
  memory: Memory,
  /** Buffer, start and length of each chunk. One number is the length of the one chunk, at the start of the one buffer. */
  places: number | readonly number[],
  /** Milliseconds that somebody waits for an answer; -1 where nobody does. */
  patience: number,
  // The context: what nearly every batch has, and the rest.
  arrivedAt: number,
  transport: string | undefined,
  peer: string | undefined,
  more: Omit<BatchContext, 'arrivedAt' | 'transport' | 'peer'> | undefined,
]

/** Chunks as they cross: buffers to transfer, and where in them each chunk lies. */
export interface Packed {
  readonly buffers: ArrayBuffer[]
  readonly places: number[]
}

/**
 * Packs chunks for the way to another thread. Where `sole` says that nobody else reads them, an arena with one holder goes
 * as it is; everything else is copied into one buffer. The holders' releases are still due.
 */
export function pack(chunks: readonly Uint8Array[], sole: boolean): Packed {
  const buffers: ArrayBuffer[] = []
  const places: number[] = []
  let copied = 0
  for (const chunk of chunks) {
    const arena = sole ? arenas.surrender(chunk) : undefined
    if (arena === undefined) {
      places.push(COPIED, copied, chunk.byteLength)
      copied += chunk.byteLength
    } else {
      places.push(buffers.length, chunk.byteOffset, chunk.byteLength)
      buffers.push(arena)
    }
  }
  if (copied === 0 && !places.includes(COPIED)) return { buffers, places }
  const room = arenas.take(copied)
  for (let i = 0; i < chunks.length; i++) {
    if (places[i * 3] !== COPIED) continue
    room.set(chunks[i]!, places[i * 3 + 1])
    places[i * 3] = buffers.length
  }
  buffers.push(arenas.surrender(room) ?? (room.buffer as ArrayBuffer))
  return { buffers, places }
}

const COPIED = -1

export function deliveryCrossing(
  id: number,
  address: string,
  { signal, items, context }: Batch,
  { buffers, places }: Packed,
  patience: number,
): DeliveryCrossing {
  const { arrivedAt, transport, peer, ...more } = context
  const plain = buffers.length === 1 && places.length === 3 && places[1] === 0
  return [
    DELIVERY,
    id,
    address,
    signal,
    items,
    plain ? buffers[0]! : buffers,
    plain ? places[2]! : places,
    patience,
    arrivedAt,
    transport,
    peer,
    isEmpty(more) ? undefined : more,
  ]
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}

/** The batch on the other side; its memory is held once. */
export function arrivedBatch(message: DeliveryCrossing): Batch {
  const [, , , signal, items, memory, places, , arrivedAt, transport, peer, more] = message
  const buffers = buffersOf(memory)
  for (const buffer of buffers) arenas.adopt(buffer)
  const context: BatchContext = {
    arrivedAt,
    ...(transport !== undefined && { transport }),
    ...(peer !== undefined && { peer }),
    ...more,
  }
  if (typeof places === 'number') return makeBatch(signal, [Buffer.from(buffers[0]!, 0, places)], items, context)
  const chunks: Uint8Array[] = []
  for (let i = 0; i < places.length; i += 3) {
    chunks.push(Buffer.from(buffers[places[i]!]!, places[i + 1], places[i + 2]))
  }
  return makeBatch(signal, chunks, items, context)
}

export function buffersOf(memory: Memory): readonly ArrayBuffer[] {
  return memory instanceof ArrayBuffer ? [memory] : memory
}
