import { SharedBoard } from '../memory/shared-board.ts'
import { ThreadMemory } from '../memory/thread-memory.ts'
import { bookLost } from '../telemetry/ledger.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { MeterRegistry } from '../telemetry/registry.ts'
import { Admission } from '../transport/admission.ts'

/** What lanes share, which outlives each of them. */
export interface SharedBooks {
  readonly registry: MeterRegistry
  /** Counts what happens beside the lanes. */
  readonly meter: Meter
  /** Memory of the byte budget (`Admission.memory`). */
  readonly admission: SharedArrayBuffer
  /** Where threads publish how much memory they use (`ThreadMemory.memory`). */
  readonly memory: SharedArrayBuffer
  /** What instances in several lanes share (`SharedBoard.memory`). */
  readonly board: SharedArrayBuffer
}

/** What a lane that was lost took along: items by pipeline. */
export type LostItems = Readonly<Record<string, number>>

/**
 * Closes the books of a lane that has ended, before another takes its slot. Its counters stay, its gauges go, and it holds no shared
 * piece any more, even one that it could not let go of before the deadline of its stop. Where it was `lost`, and its thread with it,
 * what it had booked of the byte budget is free, and what it held of the data has ended as failed(lane_lost).
 * One that was stopped has said itself what became of everything, and gives back what its last sockets have booked as they close.
 */
export function closeBooks(
  { registry, meter, admission, memory, board }: SharedBooks,
  thread: number,
  own: SharedArrayBuffer,
  lost: boolean,
): LostItems {
  new ThreadMemory(memory, 0).forget(thread)
  new SharedBoard(board, 0).forget(thread)
  const last = registry.retire(own)
  if (!lost) return {}
  new Admission(admission).forget(thread)
  return bookLost(meter, last)
}

/** `30 items of traces`, or that there were none. */
export function itemsText(items: LostItems): string {
  const parts = Object.entries(items).map(([pipeline, count]) => `${count} items of ${pipeline}`)
  return parts.length === 0 ? 'it held nothing' : parts.join(', ')
}
