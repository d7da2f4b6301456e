import { CALL_BYTES, Reservation } from './reservation.ts'
import { type CallStatus, GRPC } from './unary.ts'

/** Why a request was not taken, as metrics count it. */
export type RefusalReason = 'no_room' | 'over_budget' | 'memory_limited'

/** The answer to a request that there is no room for. */
export interface Refusal extends CallStatus {
  readonly reason: RefusalReason
}

/** What is booked for a connection: resident memory of an idle one was measured at 37 KB (HTTP/2) and 8 KB (HTTP/1.1). */
export const CONNECTION_BYTES = { http2: 40 * 1024, http1: 16 * 1024 } as const

/** The slots of the shared memory. All are counts of KiB but for `LIMITERS` and `OVERDRAFT`. */
const BODIES_LIMIT = 0
const BODIES = 1
const CONNECTIONS_LIMIT = 2
const CONNECTIONS = 3
/** The most that bodies ever had. */
const PEAK = 4
/** How many memory limiters want nothing new to be taken. */
const LIMITERS = 5
/** 1 while the oldest request of unknown length is past the limit. */
const OVERDRAFT = 6
const SLOTS = 8

/** The part of the budget that connections have to themselves, so that bodies cannot keep clients from hearing a refusal. */
const CONNECTIONS_SHARE = 4

/** Connections are widened while they have at most this part of that, so that there is room for more of them. */
const WIDE_SHARE = 4

const SHORTEST_WAIT_MS = 1000
/** A client that is told to wait waits for the shortest time and up to as much again, so that they come back one by one. */
const WAIT_SPREAD_MS = 1000
const GOLDEN_RATIO = 0.618_033_988_749_895

/**
 * The byte budget of the process, seen from one thread. What a request will need is booked before its body is read and
 * given back when its delivery has settled; where there is no room the request is refused at once, for its client to come
 * again. The memory is shared by all lanes and belongs to the supervisor.
 *
 * Counted in KiB, because atomics on 32-bit numbers need no BigInt: up to 2 TiB, and every booking is rounded up.
 */
export class Admission {
  readonly #slots: Int32Array
  /** Requests of unknown length that are on their way in this thread, the oldest first. */
  readonly #growing = new Set<Reservation>()
  readonly #pressed = new Set<() => void>()
  #waits = 0

  constructor(memory: SharedArrayBuffer) {
    this.#slots = new Int32Array(memory)
  }

  /** Memory of a budget of `bytes`: three quarters for bodies, the rest for what connections may send unasked. */
  static memory(bytes: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT)
    const slots = new Int32Array(memory)
    const kib = Math.floor(bytes / 1024)
    slots[CONNECTIONS_LIMIT] = Math.floor(kib / CONNECTIONS_SHARE)
    slots[BODIES_LIMIT] = kib - slots[CONNECTIONS_LIMIT]
    return memory
  }

  /** A budget that nothing exhausts, for servers that no engine runs. */
  static unbounded(): Admission {
    return new Admission(Admission.memory(2 ** 40))
  }

  /** Bytes that requests may book in all. */
  get limit(): number {
    return this.#slots[BODIES_LIMIT]! * 1024
  }

  /** Bytes that requests have booked now: 0 at rest. */
  get reserved(): number {
    return Atomics.load(this.#slots, BODIES) * 1024
  }

  /** The most bytes that requests ever had booked: at most `limit` and one message of the largest size. */
  get peak(): number {
    return Atomics.load(this.#slots, PEAK) * 1024
  }

  get connectionLimit(): number {
    return this.#slots[CONNECTIONS_LIMIT]! * 1024
  }

  /** Bytes booked for what connections may send unasked: 0 when none is open. */
  get connections(): number {
    return Atomics.load(this.#slots, CONNECTIONS) * 1024
  }

  /** While a memory limiter wants nothing new to be taken. */
  get limited(): boolean {
    return Atomics.load(this.#slots, LIMITERS) > 0
  }

  /** Of a memory limiter: nothing new is taken from now on, or may be again. Calls pair up. */
  limiting(on: boolean): void {
    Atomics.add(this.#slots, LIMITERS, on ? 1 : -1)
    if (on) this.#press()
  }

  /**
   * Books a request by its headers. `grows`: nobody knows yet how long its body is, or becomes when it is decompressed.
   */
  begin(grows: boolean): Reservation | Refusal {
    if (this.limited) {
      return {
        reason: 'memory_limited',
        code: GRPC.UNAVAILABLE,
        message: 'data refused due to high memory usage',
        retryAfterMs: this.#wait(),
      }
    }
    const reservation = new Reservation(this, grows)
    const refusal = reservation.grow(CALL_BYTES)
    if (refusal !== undefined) return refusal
    if (grows) this.#growing.add(reservation)
    return reservation
  }

  /** Of a reservation: `kib` more, all or nothing. True for the overdraft, which the same reservation has to end. */
  book(reservation: Reservation, kib: number): boolean | Refusal {
    const slots = this.#slots
    const limit = slots[BODIES_LIMIT]!
    const now = add(slots, BODIES, kib, limit)
    if (now >= 0) {
      this.#peaked(now)
      return false
    }
    // Else requests that are all half received would keep each other from ever being whole.
    if (this.#isOldest(reservation) && Atomics.compareExchange(slots, OVERDRAFT, 0, 1) === 0) {
      this.overdraw(kib)
      return true
    }
    this.#press()
    const wanted = reservation.bytes + kib * 1024
    if (wanted > limit * 1024) {
      return {
        reason: 'over_budget',
        code: GRPC.RESOURCE_EXHAUSTED,
        // 429, which follows from the code, means "again" to OTLP clients.
        httpStatus: 413,
        message: `request of ${wanted} bytes is larger than the ${limit * 1024} bytes that all requests together may have; send less at a time, or raise service.admission`,
      }
    }
    return {
      reason: 'no_room',
      code: GRPC.UNAVAILABLE,
      message: `no room for ${wanted} bytes: requests under way have ${this.reserved} of ${limit * 1024}`,
      retryAfterMs: this.#wait(),
    }
  }

  /** Of the reservation that has the overdraft: `kib` more, whatever the limit. */
  overdraw(kib: number): void {
    this.#peaked(Atomics.add(this.#slots, BODIES, kib) + kib)
  }

  /** Of a reservation: gives back. */
  refund(kib: number): void {
    Atomics.sub(this.#slots, BODIES, kib)
  }

  /** Of a reservation: it will not grow any more. */
  grown(reservation: Reservation): void {
    this.#growing.delete(reservation)
  }

  /** Of the reservation that had the overdraft, once it has given everything back. */
  endOverdraft(): void {
    Atomics.store(this.#slots, OVERDRAFT, 0)
  }

  /** Books a connection; false says that it has to be closed. */
  openConnection(protocol: keyof typeof CONNECTION_BYTES): boolean {
    const kib = CONNECTION_BYTES[protocol] / 1024
    const limit = this.#slots[CONNECTIONS_LIMIT]!
    const now = add(this.#slots, CONNECTIONS, kib, limit)
    // At the last quarter already: until wide connections are narrow their peers have to answer.
    const last = limit - limit / WIDE_SHARE
    if (now < 0 || (now > last && now - kib <= last)) this.#press()
    return now >= 0
  }

  closeConnection(protocol: keyof typeof CONNECTION_BYTES): void {
    Atomics.sub(this.#slots, CONNECTIONS, CONNECTION_BYTES[protocol] / 1024)
  }

  /** Books `bytes` that a connection may send beyond its minimum; false where others need the room more. */
  widen(bytes: number): boolean {
    const limit = Math.floor(this.#slots[CONNECTIONS_LIMIT]! / WIDE_SHARE)
    return add(this.#slots, CONNECTIONS, bytes / 1024, limit) >= 0
  }

  narrow(bytes: number): void {
    Atomics.sub(this.#slots, CONNECTIONS, bytes / 1024)
  }

  /** Calls back whenever something was refused for lack of room; the result ends that. */
  onPressure(listener: () => void): () => void {
    this.#pressed.add(listener)
    return () => void this.#pressed.delete(listener)
  }

  #isOldest(reservation: Reservation): boolean {
    for (const oldest of this.#growing) return oldest === reservation
    return false
  }

  #press(): void {
    for (const listener of this.#pressed) listener()
  }

  #peaked(kib: number): void {
    const slots = this.#slots
    for (let seen = Atomics.load(slots, PEAK); kib > seen; ) {
      const found = Atomics.compareExchange(slots, PEAK, seen, kib)
      if (found === seen) return
      seen = found
    }
  }

  /** Multiples of the golden ratio spread evenly however many there are, and need no chance. */
  #wait(): number {
    this.#waits = (this.#waits + GOLDEN_RATIO) % 1
    return Math.round(SHORTEST_WAIT_MS + this.#waits * WAIT_SPREAD_MS)
  }
}

/** Adds unless it would pass the limit; the new sum, or -1. */
function add(slots: Int32Array, slot: number, kib: number, limit: number): number {
  for (let seen = Atomics.load(slots, slot); seen + kib <= limit; ) {
    const found = Atomics.compareExchange(slots, slot, seen, seen + kib)
    if (found === seen) return seen + kib
    seen = found
  }
  return -1
}
