import type { Consumer, Delivery } from './delivery.ts'

/**
 * The other lanes, as an instance in this one sees them: in each there is its namesake, made from the same configuration.
 */
export interface Peers {
  /** Slot of this lane, from 0; one that replaces another has its slot. */
  readonly lane: number
  /** How many slots there are. */
  readonly lanes: number
  /** Whether this lane is the lowest that runs: of what one lane has to do for all, it is this one's. */
  readonly first: boolean
  /**
   * Has `consumer` take what namesakes give. Called once, in `create`. Its books are this lane's from then on.
   */
  receive(consumer: Consumer): void
  /**
   * Hands `delivery` to the namesake in `lane`, which answers and settles it; false, with nothing done, where that lane
   * does not run or has too much waiting. `sole`: nobody but the delivery's holder reads its bytes, now or later, so that
   * their memory may go along instead of a copy; after a refusal they are gone. If the lane ends first, the delivery is settled
   * `retry`, reason `lane_lost`, and booked.
   */
  give(lane: number, delivery: Delivery, sole?: boolean): boolean
  /** Has `callback` take what namesakes tell. Called once, in `create`. */
  hear(callback: (bytes: Uint8Array, from: number) => void): void
  /** Sends plain bytes to the namesake in `lane`, which may end before it has read them; false where that lane does not run. */
  tell(lane: number, bytes: Uint8Array): boolean
}

/** Of an instance in the only lane. */
export const ALONE: Peers = {
  lane: 0,
  lanes: 1,
  first: true,
  receive() {},
  give: () => false,
  hear() {},
  tell: () => false,
}
