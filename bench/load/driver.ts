/** Keeps a load on an engine and books what became of every request. */
import type { Answer } from './answer.ts'
import { Bodies, numbered } from './bodies.ts'
import type { Client } from './client.ts'
import { GrpcClient } from './grpc-client.ts'
import { Histogram } from './histogram.ts'
import { HttpClient } from './http-client.ts'
import { Schedule } from './pace.ts'
import type { Load, Totals } from './protocol.ts'
import type { Sink } from './sink.ts'

const ACKNOWLEDGED = 1
const ARRIVED = 2
/** An engine that only fails would otherwise be asked again at once, for ever. */
const ENOUGH_FAILURES = 100
/** So long before a request is due timers are too coarse, and the loop is turned instead. */
const SPIN_MS = 1.5

export class Driver {
  readonly #load: Load
  readonly #sink: Sink
  readonly #client: Client
  readonly #slots: number
  /** What the sink had before this load. */
  readonly #before: number
  readonly #bodies: Bodies
  readonly #failures = new Set<string>()
  /** Of an open loop. */
  #schedule: Schedule | undefined
  readonly #free: number[] = []
  /** What is known of each numbered request. */
  #fates = new Uint8Array(1 << 16)
  #running = true
  #failed = 0
  #inFlight = 0
  #idle: (() => void) | undefined
  readonly latency = new Histogram()
  sent = 0
  acknowledged = 0
  answered = 0
  #refused = 0
  #refusedWithDelay = 0
  #timedOut = 0

  constructor(port: number, load: Load, sink: Sink) {
    this.#load = load
    this.#sink = sink
    this.#before = sink.items
    this.#slots = load.connections * load.inFlight
    this.#bodies = new Bodies(load, this.#slots)
    this.#client = load.protocol === 'grpc' ? new GrpcClient(port, load) : new HttpClient(port, load)
    if (load.compression !== undefined) {
      const frame = load.protocol === 'grpc' ? 5 : 0
      for (const body of this.#bodies.wire) sink.know(body.subarray(frame), load.items)
    }
    if (numbered(load)) sink.arrived = (number) => this.#book(number, ARRIVED)
  }

  start(): void {
    const { itemsPerSecond, items } = this.#load
    if (itemsPerSecond === undefined) {
      for (let slot = 0; slot < this.#slots; slot++) this.#send(slot, performance.now())
      return
    }
    for (let slot = 0; slot < this.#slots; slot++) this.#free.push(slot)
    this.#schedule = new Schedule(performance.now(), (1000 * items) / itemsPerSecond)
    this.#tick()
  }

  /** Lets what is in flight finish, and what the engine acknowledged arrive: until nothing has come for `quietMs`. */
  async drain(quietMs = 5000): Promise<Totals> {
    this.#running = false
    this.#sink.lift()
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#idle = resolve
        if (this.#inFlight === 0) resolve()
      }),
      new Promise((resolve) => setTimeout(resolve, 30_000)),
    ])
    await this.#arrivals(quietMs)
    this.#client.close()
    return {
      sent: this.sent,
      acknowledged: this.acknowledged,
      delivered: this.#delivered,
      refused: this.#refused,
      refusedWithDelay: this.#refusedWithDelay,
      timedOut: this.#timedOut,
      ...(numbered(this.#load) && { missing: this.#missing() }),
      failures: [...this.#failures, ...new Set(this.#sink.failures)],
    }
  }

  /** Waits for what a queue still holds. */
  async #arrivals(quietMs: number): Promise<void> {
    let seen = -1
    let since = performance.now()
    while (this.#delivered < this.acknowledged || this.#missing() > 0) {
      if (this.#sink.items !== seen) {
        seen = this.#sink.items
        since = performance.now()
      } else if (performance.now() - since > quietMs) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  get #delivered(): number {
    return this.#sink.items - this.#before
  }

  #send(slot: number, due: number): void {
    const body = this.#bodies.take(slot)
    this.sent += this.#load.items
    this.#inFlight++
    this.#client.send(slot, body, (answer) => this.#answered(slot, body.number, due, answer))
  }

  #answered(slot: number, number: number, due: number, answer: Answer): void {
    this.#inFlight--
    this.answered++
    if (answer.kind === 'acknowledged') {
      this.acknowledged += this.#load.items
      this.latency.record(performance.now() - due)
      if (number > 0) this.#book(number, ACKNOWLEDGED)
    } else if (answer.kind === 'refused') {
      this.#refused++
      if (answer.withDelay) this.#refusedWithDelay++
    } else if (answer.kind === 'timed out') {
      this.#timedOut++
    } else {
      this.#failed++
      this.#failures.add(answer.text)
    }
    if (!this.#running || this.#failed >= ENOUGH_FAILURES) {
      if (this.#inFlight === 0) this.#idle?.()
      return
    }
    const pause = answer.kind === 'acknowledged' ? 0 : (this.#load.pauseMs ?? 10)
    if (pause > 0) setTimeout(() => this.#again(slot), pause)
    else this.#again(slot)
  }

  #again(slot: number): void {
    if (!this.#running) return
    if (this.#schedule === undefined) this.#send(slot, performance.now())
    else {
      this.#free.push(slot)
      this.#pump()
    }
  }

  /** Sends what is due and has a slot. */
  #pump(): void {
    while (this.#free.length > 0) {
      const due = this.#schedule!.take(performance.now())
      if (due === undefined) return
      this.#send(this.#free.pop()!, due)
    }
  }

  #tick(): void {
    if (!this.#running) return
    this.#pump()
    const wait = this.#free.length === 0 ? SPIN_MS : this.#schedule!.next - performance.now()
    if (wait > SPIN_MS) setTimeout(() => this.#tick(), wait - SPIN_MS)
    else if (this.#free.length === 0) setTimeout(() => this.#tick(), 1)
    else setImmediate(() => this.#tick())
  }

  #book(number: number, fate: number): void {
    if (number >= this.#fates.length) {
      // A number that was never given is none of ours.
      if (number > this.sent) return
      const more = new Uint8Array(Math.max(number + 1, this.#fates.length * 2))
      more.set(this.#fates)
      this.#fates = more
    }
    this.#fates[number]! |= fate
  }

  #missing(): number {
    let missing = 0
    for (const fate of this.#fates) if (fate === ACKNOWLEDGED) missing++
    return missing
  }
}
