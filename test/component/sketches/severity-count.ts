import type { Component, ComponentContext } from '../../../src/component/contracts.ts'
import { type Consumer, DELIVERED, type Delivery, deliver } from '../../../src/component/delivery.ts'
import { Gathered } from '../../../src/component/gathered.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { Writer } from '../../../src/otlp/encode.ts'
import { LogEditor } from '../../../src/otlp/log-editor.ts'

/*
 * A sketch, to try the contract: instead of log records it sends on how many there were of each severity, of all lanes together,
 * once an interval.
 */

const SEVERITIES = 25

export class SeverityCount implements Component, Consumer {
  readonly acknowledges = 'admitted'
  readonly #ctx: ComponentContext
  readonly #next: Consumer
  readonly #gathered: Gathered
  readonly #editor = new LogEditor()
  /** Of this lane since it was asked last; of all lanes, in the one that flushes. */
  #own = new Float64Array(SEVERITIES)
  readonly #all = new Float64Array(SEVERITIES)

  constructor({ intervalMs }: { readonly intervalMs: number }, ctx: ComponentContext, next: Consumer) {
    this.#ctx = ctx
    this.#next = next
    const partials = {
      collect: () => this.#collect(),
      merge: (part: Uint8Array) => this.#merge(part),
      flush: () => this.#flush(),
    }
    this.#gathered = new Gathered(ctx, partials, { intervalMs })
  }

  start(): void {
    this.#gathered.start()
  }

  stop(): Promise<void> {
    return this.#gathered.stop()
  }

  consume(delivery: Delivery): void {
    const { batch } = delivery
    const editor = this.#editor
    for (const chunk of batch.chunks) {
      editor.open(chunk)
      while (editor.nextResource())
        while (editor.nextScope()) while (editor.nextRecord()) this.#own[editor.log.severityNumber]!++
      editor.finish()
    }
    this.#ctx.ledger?.folded('logs', batch.items)
    delivery.settle(DELIVERED)
  }

  #collect(): Uint8Array | undefined {
    const own = this.#own
    if (own.every((count) => count === 0)) return undefined
    this.#own = new Float64Array(SEVERITIES)
    return new Uint8Array(own.buffer)
  }

  #merge(part: Uint8Array): void {
    const counts = new Float64Array(part.slice().buffer)
    for (let i = 0; i < SEVERITIES; i++) this.#all[i]! += counts[i]!
  }

  #flush(): void {
    const writer = new Writer()
    const resource = writer.begin(1)
    const scope = writer.begin(2)
    let items = 0
    for (const [severity, count] of this.#all.entries()) {
      if (count === 0) continue
      const record = writer.begin(2)
      writer.uint(2, severity)
      writer.keyValue(6, 'count', BigInt(count))
      writer.end(record)
      items++
    }
    writer.end(scope)
    writer.end(resource)
    this.#all.fill(0)
    if (items === 0) return
    this.#ctx.ledger?.made('logs', items)
    const batch = makeBatch('logs', [writer.finish()], items, { arrivedAt: this.#ctx.clock.now() })
    this.#next.consume(deliver(batch, { settled() {} }))
  }
}
