import type { Clock, Timer } from '../clock.ts'
import { collectToTheLast } from '../garbage.ts'
import { arenas } from '../otlp/arena.ts'

/** How often a thread looks whether it holds more than it needs. */
const LOOK_EVERY_MS = 2000
/** Arenas that are freed at one look: a millisecond's work, and 32 MiB are gone within three. */
const SLICE_BYTES = 16 << 20
/** A thread that takes bytes less than so often between two looks, for so many of them, is quiet: a few requests nearly always come, … */
const FEW = 4
const QUIET_LOOKS = 3
/** … and it has something to give back if it took bytes so often before. */
const WORTH_A_COLLECTION = 64

/**
 * Gives memory back to the system: arenas that lie unused, and once the thread has become quiet after work, its garbage too. V8
 * collects when something is allocated, so that a thread with nothing to do would keep for hours what its last load left behind.
 */
export function giveBackIdleMemory(clock: Clock, pool = arenas, collect = collectToTheLast): { stop(): void } {
  let taken = pool.taken
  let collectedAt = taken
  let quiet = 0
  let timer: Timer
  const look = (): void => {
    pool.trimUnused(SLICE_BYTES)
    quiet = pool.taken - taken < FEW ? quiet + 1 : 0
    taken = pool.taken
    if (quiet >= QUIET_LOOKS && taken - collectedAt >= WORTH_A_COLLECTION) {
      collectedAt = taken
      collect()
    }
    timer = clock.setTimeout(look, LOOK_EVERY_MS)
  }
  timer = clock.setTimeout(look, LOOK_EVERY_MS)
  return { stop: () => timer.cancel() }
}
