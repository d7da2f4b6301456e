import type { Timer } from '../../../src/clock.ts'
import type { Component, ComponentContext } from '../../../src/component/contracts.ts'
import { type Consumer, DELIVERED, type Delivery, deliver, nack } from '../../../src/component/delivery.ts'
import { keyed } from '../../../src/component/keyed.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { traceKey } from '../../../src/otlp/record-key.ts'
import { TraceEditor } from '../../../src/otlp/trace-editor.ts'
import { TraceGroups } from '../../../src/otlp/trace-groups.ts'

/*
 * A sketch, to try the contract: waits some time from the first span of a trace, then sends all of it on if a span of it failed, else
 * drops it. It takes its data over (`acknowledges: 'admitted'`), so that the memory of requests is free while it waits.
 */

interface Trace {
  readonly spans: Uint8Array[]
  items: number
  failed: boolean
}

const VERSION = 1
const ERROR = 2

export class TailSampler implements Component, Consumer {
  readonly acknowledges = 'admitted'
  readonly #ctx: ComponentContext
  readonly #next: Consumer
  readonly #waitMs: number
  readonly #keyed: Consumer
  readonly #groups = new TraceGroups('traces')
  readonly #editor = new TraceEditor()
  readonly #traces = new Map<string, Trace>()
  readonly #timers = new Set<Timer>()
  #stopped = false

  constructor({ waitMs }: { readonly waitMs: number }, ctx: ComponentContext, next: Consumer) {
    this.#ctx = ctx
    this.#next = next
    this.#waitMs = waitMs
    const own: Consumer = { acknowledges: this.acknowledges, consume: (delivery) => this.#hold(delivery) }
    this.#keyed = keyed('traces', traceKey('traces'), ctx, own)
  }

  consume(delivery: Delivery): void {
    this.#keyed.consume(delivery)
  }

  *exportState(): Iterable<Uint8Array> {
    for (const [id, { spans, items }] of this.#traces) {
      this.#ctx.ledger?.given('traces', items)
      this.#traces.delete(id)
      yield Buffer.concat([Uint8Array.of(VERSION), ...spans])
    }
  }

  importState(piece: Uint8Array): void {
    if (piece[0] !== VERSION) throw new Error(`state of version ${piece[0]}`)
    this.#ctx.ledger?.taken('traces', this.#add(piece.subarray(1)))
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
    for (const id of this.#traces.keys()) this.#decide(id)
  }

  #hold(delivery: Delivery): void {
    if (this.#stopped) {
      this.#ctx.ledger?.failed('traces', 'stopping', delivery.batch.items)
      nack(delivery, { verdict: 'stopping', reason: 'stopping', message: `processor ${this.#ctx.id} is stopping` })
      return
    }
    for (const chunk of delivery.batch.chunks) this.#add(chunk)
    delivery.settle(DELIVERED)
  }

  #add(chunk: Uint8Array): number {
    let added = 0
    for (const { id, bytes, items } of this.#groups.split(chunk)) {
      let trace = this.#traces.get(id)
      if (trace === undefined) {
        trace = { spans: [], items: 0, failed: false }
        this.#traces.set(id, trace)
        this.#wait(id)
      }
      trace.spans.push(Uint8Array.from(bytes))
      trace.items += items
      trace.failed ||= this.#hasError(bytes)
      added += items
      if (bytes !== chunk) arenas.release(bytes)
    }
    return added
  }

  #hasError(bytes: Uint8Array): boolean {
    const editor = this.#editor
    let error = false
    editor.open(bytes)
    while (editor.nextResource())
      while (editor.nextScope()) while (editor.nextRecord()) error ||= editor.span.statusCode === ERROR
    editor.finish()
    return error
  }

  #wait(id: string): void {
    const timer = this.#ctx.clock.setTimeout(() => {
      this.#timers.delete(timer)
      this.#decide(id)
    }, this.#waitMs)
    this.#timers.add(timer)
  }

  #decide(id: string): void {
    const trace = this.#traces.get(id)
    if (trace === undefined) return
    this.#traces.delete(id)
    if (!trace.failed) {
      this.#ctx.ledger?.dropped('traces', 'not_sampled', trace.items)
      return
    }
    const batch = makeBatch('traces', trace.spans, trace.items, { arrivedAt: this.#ctx.clock.now() })
    // The pipeline's end books what becomes of it.
    this.#next.consume(deliver(batch, { settled() {} }))
  }
}
