import type { BenchSignal } from '../payload/payload.ts'

/** Who a server hands over to what it received. */
export interface Requests {
  /** A whole request; its bytes are there until the call returns. `serve` answers it, at once or later; the sender may have `gone` by then. */
  take(signal: BenchSignal, message: Buffer, coding: string | undefined, gone: () => boolean, serve: () => void): void
  /** Something came that is no request. */
  broken(error: Error): void
}
