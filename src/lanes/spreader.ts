import type { Clock } from '../clock.ts'
import type { Batch } from '../otlp/batch.ts'
import type { LaneLoads } from './lane-loads.ts'
import type { Bounds } from './link.ts'

/** How often lanes look at each other while there is work. */
const LOOK_MS = 50
/** Looks without any work after which a lane rests. */
const IDLE_LOOKS = 4
/** How much of what was is in the load: a look may fall into one long batch. */
const MEMORY = 0.5
/** A lane that is less busy than that gives nothing: waiting for another thread costs more than the work. */
const BUSY = 0.5
/** It begins to give when it is so much busier than the mean, and then goes on until it is no busier. */
const EXCESS = 0.1
/** Differences below are noise. */
const NOISE = 0.02
/**
 * How much of a difference goes into the share that is given, each look. What is given shows in the other lane's load two looks
 * later, so that more than 0.3 would overshoot.
 */
const GAIN = 0.15
/** What nothing speaks for any more goes by itself: fast where there is little to do, slowly between lanes that are even. */
const HALVING = 0.5
const FADING = 0.99
const LEAST = 0.005
/** Some work stays: what it costs says whether it is worth giving. */
const MOST = 0.95
/** Work that takes less, in ms, is done sooner than handed over, and so is, until its time is known, a batch of fewer bytes. */
const WORTH_MS = 0.02
const WORTH_BYTES = 4096
/** Who has more waiting does not keep up. */
const ROOM: Bounds = { batches: 8, bytes: 8 << 20 }

const UNKNOWN = Number.POSITIVE_INFINITY

/** Shares of the time since the last call, 0 to 1. */
export interface OwnLoad {
  /** That this thread's loop had something to do, or waited for a processor to do it. */
  busy(): number
  /** That it had a processor. */
  cpu(): number
}

/** What a spreader asks of the other lanes. */
export interface OtherLanes {
  readonly lane: number
  readonly lanes: number
  runs(lane: number): boolean
  hasRoom(lane: number, bounds: Bounds): boolean
}

/**
 * Decides which batches of a lane other lanes get, before any work is done on them: sockets cannot move, so a lane whose clients send
 * most of the load would be the limit of all.
 *
 * Each lane says how much CPU it takes. One whose loop is busy, and which takes more than the mean of all, gives a share of its bytes to each
 * that takes less, and moves that share by how far the two are apart, until they are not. Busy alone would not do: where others
 * need the processors too, a thread that waits for one is busy.
 */
export class Spreader {
  readonly #others: OtherLanes
  readonly #loads: LaneLoads
  readonly #clock: Clock
  readonly #own: OwnLoad
  /** Share of the bytes that each lane is given, and what it has been given less than that, by turns. */
  readonly #shares: Float64Array
  readonly #credits: Float64Array
  /** Loads as they were looked at last; -1 where a lane does not run. */
  readonly #seen: Float64Array
  /** CPU, as others are told, and how busy the loop is. */
  #load = 0
  #busy = 0
  /** Of all together. */
  #share = 0
  /** Bytes that should have been given. */
  #owed = 0
  #worked = false
  #idleLooks = 0
  #awake = false
  /** Milliseconds that a batch takes here, of late. */
  #took = UNKNOWN

  constructor(others: OtherLanes, loads: LaneLoads, clock: Clock, own: OwnLoad) {
    this.#others = others
    this.#loads = loads
    this.#clock = clock
    this.#own = own
    this.#shares = new Float64Array(others.lanes)
    this.#credits = new Float64Array(others.lanes)
    this.#seen = new Float64Array(others.lanes)
  }

  /** Share of its bytes that this lane gives to others. */
  get share(): number {
    return this.#share
  }

  /** The lane that should do the work on a batch that came in here; this one, mostly. */
  laneFor({ byteLength }: Batch): number {
    this.wake()
    const here = this.#others.lane
    if (this.#share === 0) return here
    this.#owed += this.#share * byteLength
    const worth = this.#took === UNKNOWN ? byteLength >= WORTH_BYTES : this.#took >= WORTH_MS
    if (this.#owed < byteLength || !worth) {
      // Of a few large batches that stay nothing is to be made up for later.
      this.#owed = Math.min(this.#owed, byteLength)
      return here
    }
    const lane = this.#next()
    if (lane !== here) this.#owed -= byteLength
    return lane
  }

  /** A batch was worked on here, for so many ms. */
  worked(ms: number): void {
    this.#took = this.#took === UNKNOWN ? ms : this.#took * 0.9 + ms * 0.1
  }

  /** There is work. */
  wake(): void {
    this.#worked = true
    if (this.#awake) return
    this.#awake = true
    this.#idleLooks = 0
    this.#own.busy()
    this.#own.cpu()
    this.#arm()
  }

  #arm(): void {
    this.#clock.setTimeout(() => this.#look(), LOOK_MS)
  }

  #look(): void {
    this.#load = this.#load * MEMORY + this.#own.cpu() * (1 - MEMORY)
    this.#busy = this.#busy * MEMORY + this.#own.busy() * (1 - MEMORY)
    this.#idleLooks = this.#worked ? 0 : this.#idleLooks + 1
    this.#worked = false
    if (this.#idleLooks >= IDLE_LOOKS) {
      this.#awake = false
      this.#load = 0
      this.#busy = 0
      this.#shares.fill(0)
      this.#share = 0
      this.#owed = 0
      this.#loads.rest()
      return
    }
    this.#loads.publish(this.#load)
    this.#balance()
    this.#arm()
  }

  #balance(): void {
    const { lane: here, lanes } = this.#others
    const shares = this.#shares
    const loads = this.#seen
    let sum = this.#load
    let running = 1
    for (let lane = 0; lane < lanes; lane++) {
      loads[lane] = -1
      if (lane === here || !this.#others.runs(lane)) continue
      loads[lane] = this.#loads.look(lane)
      sum += loads[lane]!
      running++
    }
    if (this.#share === 0 && (this.#busy < BUSY || this.#load - sum / running < EXCESS)) return
    let total = 0
    for (let lane = 0; lane < lanes; lane++) {
      const apart = this.#load - loads[lane]!
      if (loads[lane]! < 0) shares[lane] = 0
      // What little there is can stay here.
      else if (this.#busy < BUSY / 2) shares[lane]! *= HALVING
      else if (Math.abs(apart) > NOISE) shares[lane] = Math.max(0, shares[lane]! + (GAIN * apart) / running)
      else shares[lane]! *= FADING
      if (shares[lane]! < LEAST) shares[lane] = 0
      total += shares[lane]!
    }
    if (total > MOST) for (let lane = 0; lane < lanes; lane++) shares[lane]! *= MOST / total
    this.#share = Math.min(MOST, total)
    if (this.#share === 0) this.#took = UNKNOWN
  }

  /** The lane whose turn it is; this one where no other has room. */
  #next(): number {
    const shares = this.#shares
    const credits = this.#credits
    const { lane: here } = this.#others
    let sum = 0
    let best = here
    for (let lane = 0; lane < shares.length; lane++) {
      const share = shares[lane]!
      if (share === 0 || !this.#others.hasRoom(lane, ROOM)) continue
      sum += share
      credits[lane]! += share
      if (best === here || credits[lane]! > credits[best]!) best = lane
    }
    credits[best]! -= sum
    return best
  }
}
