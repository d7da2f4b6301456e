import { collectAll } from '../garbage.ts'
import { arenas } from '../otlp/arena.ts'

/** Frees what this thread does not need: pooled memory that nobody uses, then everything that is garbage. */
export function collectGarbage(): void {
  arenas.trim()
  collectAll()
}
