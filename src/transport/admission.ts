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

/** The first cells of the shared memory. Limits are counts of KiB. */
const BODIES_LIMIT = 0
const CONNECTIONS_LIMIT = 1
/** The most KiB that bodies ever had. */
const PEAK = 2
/** The thread whose oldest request of unknown length is past the limit, counted from 1; 0 is none. */
const OVERDRAFT = 3
/** One more than the highest thread that ever booked. */
const THREADS = 4
/** Changes when something was refused for lack of room; threads wait for that. */
const PRESSURE = 5

/** The cells of each thread, on a cache line of their own. Bookings in KiB. */
const BODIES = 0
const CONNECTIONS = 1
/** How many memory limiters of the thread want nothing new to be taken. */
const LIMITERS = 2

const LINE = 64 / Int32Array.BYTES_PER_ELEMENT

/** How often a booking that met another one at the limit is tried again before it is refused. */
const TRIES = 4
/** Pressure that lasts is told of this seldom, here and in other threads: what is done about it lasts a second. */
const TELL_MS = 250

/** Threads that there is room for: the main one and lanes. */
export const MOST_THREADS = 128

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
 * Each thread writes its own cells only, and what is booked in all is their sum. So a booking is one write, and a thread
 * that dies between any two instructions leaves nothing behind that `forget` does not take back: there is no sum beside the
 * parts that could disagree with them. The limit holds although nobody reads all cells at one instant: a booking is
 * written first and checked then, so the later of two sees the earlier, and takes itself back where there is no room for it.
 *
 * Counted in KiB, because atomics on 32-bit numbers need no BigInt: up to 2 TiB, and every booking is rounded up.
 */
export class Admission {
  readonly #cells: Int32Array
  /** Where the cells of this thread begin. */
  readonly #own: number
  readonly #thread: number
  /** Requests of unknown length that are on their way in this thread, the oldest first. */
  readonly #growing = new Set<Reservation>()
  readonly #pressed = new Set<() => void>()
  /** The last booking met the limit. */
  #scarce = false
  #hearing = false
  #pressedAt = Number.NEGATIVE_INFINITY
  #told = 0
  #waits: number

  /** `thread`: 0 is the main one, as in `ThreadMemory`. */
  constructor(memory: SharedArrayBuffer, thread = 0) {
    this.#cells = new Int32Array(memory)
    this.#thread = thread
    this.#own = cellsOf(thread)
    // Each thread begins elsewhere, or the clients of several would come back in step.
    this.#waits = (thread * Math.SQRT2) % 1
    raise(this.#cells, THREADS, thread + 1)
  }

  /** Memory of a budget of `bytes`: three quarters for bodies, the rest for what connections may send unasked. */
  static memory(bytes: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(cellsOf(MOST_THREADS) * Int32Array.BYTES_PER_ELEMENT)
    const cells = new Int32Array(memory)
    const kib = Math.floor(bytes / 1024)
    cells[CONNECTIONS_LIMIT] = Math.floor(kib / CONNECTIONS_SHARE)
    cells[BODIES_LIMIT] = kib - cells[CONNECTIONS_LIMIT]
    return memory
  }

  /** A budget that nothing exhausts, for servers that no engine runs. */
  static unbounded(): Admission {
    return new Admission(Admission.memory(2 ** 40))
  }

  /** Bytes that requests may book in all. */
  get limit(): number {
    return this.#cells[BODIES_LIMIT]! * 1024
  }

  /** Bytes that requests have booked now: 0 at rest. */
  get reserved(): number {
    return this.#sum(BODIES) * 1024
  }

  /** The most bytes that requests ever had booked: at most `limit` and one message of the largest size. */
  get peak(): number {
    return Atomics.load(this.#cells, PEAK) * 1024
  }

  get connectionLimit(): number {
    return this.#cells[CONNECTIONS_LIMIT]! * 1024
  }

  /** Bytes booked for what connections may send unasked: 0 when none is open. */
  get connections(): number {
    return this.#sum(CONNECTIONS) * 1024
  }

  /** While a memory limiter of any thread wants nothing new to be taken. */
  get limited(): boolean {
    return this.#sum(LIMITERS) > 0
  }

  /** Of a memory limiter: nothing new is taken from now on, or may be again. Calls pair up. */
  limiting(on: boolean): void {
    Atomics.add(this.#cells, this.#own + LIMITERS, on ? 1 : -1)
    if (on) this.pressed()
  }

  /** Takes back all that `thread` had booked or asked for. It has ended: nothing of it runs any more. */
  forget(thread: number): void {
    const own = cellsOf(thread)
    for (const cell of [BODIES, CONNECTIONS, LIMITERS]) Atomics.store(this.#cells, own + cell, 0)
    Atomics.compareExchange(this.#cells, OVERDRAFT, thread + 1, 0)
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
    const limit = this.#cells[BODIES_LIMIT]!
    const now = this.#add(BODIES, kib, limit)
    if (now >= 0) {
      raise(this.#cells, PEAK, now)
      return false
    }
    // Else requests that are all half received would keep each other from ever being whole.
    if (this.#isOldest(reservation) && Atomics.compareExchange(this.#cells, OVERDRAFT, 0, this.#thread + 1) === 0) {
      this.overdraw(kib)
      return true
    }
    this.pressed()
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
    Atomics.add(this.#cells, this.#own + BODIES, kib)
    raise(this.#cells, PEAK, this.#sum(BODIES))
  }

  /** Of a reservation: gives back. */
  refund(kib: number): void {
    Atomics.sub(this.#cells, this.#own + BODIES, kib)
  }

  /** Of a reservation: it will not grow any more. */
  grown(reservation: Reservation): void {
    this.#growing.delete(reservation)
  }

  /** Of the reservation that had the overdraft, once it has given everything back. */
  endOverdraft(): void {
    Atomics.store(this.#cells, OVERDRAFT, 0)
  }

  /** Books a connection; false says that it has to be closed. */
  openConnection(protocol: keyof typeof CONNECTION_BYTES): boolean {
    const kib = CONNECTION_BYTES[protocol] / 1024
    const limit = this.#cells[CONNECTIONS_LIMIT]!
    const now = this.#add(CONNECTIONS, kib, limit)
    // At the last quarter already: until wide connections are narrow their peers have to answer.
    const last = limit - limit / WIDE_SHARE
    if (now < 0 || (now > last && now - kib <= last)) this.pressed()
    return now >= 0
  }

  closeConnection(protocol: keyof typeof CONNECTION_BYTES): void {
    Atomics.sub(this.#cells, this.#own + CONNECTIONS, CONNECTION_BYTES[protocol] / 1024)
  }

  /** Books `bytes` that a connection may send beyond its minimum; false where others need the room more. */
  widen(bytes: number): boolean {
    const limit = Math.floor(this.#cells[CONNECTIONS_LIMIT]! / WIDE_SHARE)
    return this.#add(CONNECTIONS, bytes / 1024, limit) >= 0
  }

  narrow(bytes: number): void {
    Atomics.sub(this.#cells, this.#own + CONNECTIONS, bytes / 1024)
  }

  /**
   * Calls back whenever something was refused for lack of room, in this thread at once, in others up to a quarter of a second
   * later. The result ends that.
   */
  onPressure(listener: () => void): () => void {
    this.#pressed.add(listener)
    this.#hear()
    return () => void this.#pressed.delete(listener)
  }

  /** For how many milliseconds nothing was refused. */
  get calmMs(): number {
    return performance.now() - this.#pressedAt
  }

  /** Something was refused for lack of room, here or further on: what comes unasked is unwelcome. */
  pressed(): void {
    const now = performance.now()
    // Thousands may be refused in a second.
    if (now - this.#pressedAt < TELL_MS) return
    this.#told = Atomics.add(this.#cells, PRESSURE, 1) + 1
    Atomics.notify(this.#cells, PRESSURE)
    this.#press(now)
  }

  #press(now: number): void {
    this.#pressedAt = now
    for (const listener of this.#pressed) listener()
  }

  #isOldest(reservation: Reservation): boolean {
    for (const oldest of this.#growing) return oldest === reservation
    return false
  }

  /** Waits, beside everything else that the thread does, for another one to press. Keeps no thread alive. */
  #hear(): void {
    if (this.#hearing) return
    this.#hearing = true
    const seen = Atomics.load(this.#cells, PRESSURE)
    const pressed = Atomics.waitAsync(this.#cells, PRESSURE, seen)
    void Promise.resolve(pressed.value).then(() => {
      this.#hearing = false
      if (this.#pressed.size === 0) return
      this.#hear()
      if (Atomics.load(this.#cells, PRESSURE) !== this.#told) this.#press(performance.now())
    })
  }

  /** Of all threads. `cell` is one of a thread's. */
  #sum(cell: number): number {
    const cells = this.#cells
    const end = cellsOf(Atomics.load(cells, THREADS))
    let sum = 0
    for (let i = cellsOf(0) + cell; i < end; i += LINE) sum += Atomics.load(cells, i)
    return sum
  }

  /** Books for this thread unless all together would pass the limit; the new sum, or -1. */
  #add(cell: number, kib: number, limit: number): number {
    const own = this.#own + cell
    for (let tries = 0; tries < TRIES; tries++) {
      // Looked at first where room is scarce, so that what has none anyway is not in the way of another thread's booking that does.
      if (this.#scarce && this.#sum(cell) + kib > limit) return -1
      Atomics.add(this.#cells, own, kib)
      const now = this.#sum(cell)
      if (now <= limit) {
        this.#scarce = false
        return now
      }
      Atomics.sub(this.#cells, own, kib)
      this.#scarce = true
    }
    return -1
  }

  /** Multiples of the golden ratio spread evenly however many there are, and need no chance. */
  #wait(): number {
    this.#waits = (this.#waits + GOLDEN_RATIO) % 1
    return Math.round(SHORTEST_WAIT_MS + this.#waits * WAIT_SPREAD_MS)
  }
}

function cellsOf(thread: number): number {
  return (thread + 1) * LINE
}

/** The cell is at least `value` from now on. */
function raise(cells: Int32Array, cell: number, value: number): void {
  for (let seen = Atomics.load(cells, cell); value > seen; ) {
    const found = Atomics.compareExchange(cells, cell, seen, value)
    if (found === seen) return
    seen = found
  }
}
