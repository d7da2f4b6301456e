import type { Consumer, Delivery } from './delivery.ts'

/** The instances of this component in the other lanes, made from the same configuration; `ctx.lane` says which lane this is. */
export interface Namesakes {
  /** Whether this lane is the lowest that runs: what one lane has to do for all is this one's to do. */
  readonly first: boolean
  /** Has `consumer` take what namesakes give: it is in this lane's books from then on. Called once, in `create`. */
  receive(consumer: Consumer): void
  /**
   * Hands `delivery` to the namesake in `lane`, which answers and settles it; false, with nothing done, where that lane
   * does not run or has too much waiting. `sole`: nobody but the delivery's holder reads its bytes, now or later, so that
   * their memory may go along instead of a copy; after a failure they are gone. Where that lane ends first, the delivery is booked and
   * settled `retry`, reason `lane_lost`.
   */
  give(lane: number, delivery: Delivery, sole?: boolean): boolean
  /** Has `callback` take what namesakes tell. Called once, in `create`. */
  hear(callback: (bytes: Uint8Array, from: number) => void): void
  /** Sends a copy of plain bytes to the namesake in `lane`, which may end before it has read them; false where it does not run. */
  tell(lane: number, bytes: Uint8Array): boolean
}

/** Of an instance that is the only one. */
export const NO_NAMESAKES: Namesakes = {
  first: true,
  receive() {},
  give: () => false,
  hear() {},
  tell: () => false,
}
