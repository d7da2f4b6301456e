import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { arenas } from '../otlp/arena.ts'

let collect: (() => void) | undefined

/**
 * Frees what this thread does not need: pooled memory that nobody uses, then a full collection, some 10 to 100 ms in which the thread does
 * nothing else. V8 has no other way to be asked than its `gc` function, which a context made after the flag was set has.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
    setFlagsFromString('--no-expose-gc')
  }
  arenas.trim()
  collect()
}
