import type { Signal } from '../otlp/batch.ts'
import type { Failure } from './outcome.ts'

/**
 * A batch that nobody has read yet, and those on the same way before it: what a receiver knows of a request by its headers.
 * All bytes are estimates, of serialized data that is not compressed.
 */
export interface Arriving {
  readonly signal: Signal
  /** Bytes of the batch that is asked about; 0 where nobody can tell. */
  readonly bytes: number
  /** Batches that were let in before and are still on their way, … */
  readonly ahead: number
  /** … and their bytes together. */
  readonly aheadBytes: number
}

/** Why a batch would be turned away. The same one may be the answer to many questions. */
export interface Refusing {
  readonly failure: Failure
  /**
   * Room is not being made: whoever waits for it waits for a peer to come back. Where data goes several ways, the others do
   * not wait for that.
   */
  readonly stalled: boolean
  /** Whoever acts on it says so, once for each batch that it turns away unread: for those who keep count. */
  told(): void
}

/**
 * Asks whether a batch would be turned away if it came now. `undefined`: it would be taken, it would wait, or only the batch itself
 * can tell. Without this, a consumer never knows before.
 */
export type Refuses = (arriving: Arriving) => Refusing | undefined

/**
 * Of several that all get the same batches: what one of them refuses the others would get again and again, so it is refused before any
 * of them has it. But one that stands still does not hold up those that do not.
 */
export function anyRefuses(consumers: readonly { readonly refusing?: Refuses | undefined }[]): Refuses | undefined {
  if (consumers.every(({ refusing }) => refusing === undefined)) return undefined
  return (arriving) => {
    let stalled: Refusing | undefined
    let open = false
    for (const consumer of consumers) {
      const refusing = consumer.refusing?.(arriving)
      if (refusing === undefined) open = true
      else if (!refusing.stalled) return refusing
      else stalled ??= refusing
    }
    return open ? undefined : stalled
  }
}
