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
}

/** What a lane that was lost took along: items by pipeline. */
export type LostItems = Readonly<Record<string, number>>

/**
 * Closes the books of a lane whose thread has ended, before another takes its slot: what it had booked of the byte budget
 * is free, its memory is no more, its counters stay and its gauges go. What a lane that was `lost` held has ended as
 * failed(lane_lost); one that was stopped has said itself what became of everything.
 */
export function closeBooks(
  { registry, meter, admission, memory }: SharedBooks,
  thread: number,
  own: SharedArrayBuffer,
  lost: boolean,
): LostItems {
  new Admission(admission).forget(thread)
  new ThreadMemory(memory, 0).forget(thread)
  const last = registry.retire(own)
  return lost ? bookLost(meter, last) : {}
}
