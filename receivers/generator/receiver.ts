import type { Timer } from '../../src/clock.ts'
import type { Component, ComponentContext, Outputs } from '../../src/component/contracts.ts'
import { type Consumer, deliver } from '../../src/component/delivery.ts'
import { makeBatch, type Signal } from '../../src/otlp/batch.ts'
import type { Counter } from '../../src/telemetry/meter.ts'
import { Model, type ModelOptions } from './model.ts'
import { skippedItems } from './skipped-items.ts'

export interface GeneratorOptions extends ModelOptions {
  /** Items a second by signal; 0 makes none. */
  readonly rates: Readonly<Record<GeneratedSignal, number>>
  /** The most items in one request. */
  readonly batchSize: number
  /** Stop after this many items of each signal. */
  readonly total: number
}

const GENERATED = ['traces', 'metrics', 'logs'] as const satisfies readonly Signal[]
export type GeneratedSignal = (typeof GENERATED)[number]

/** Deliveries on their way, of all signals, past which what is due is skipped: nobody waits for made-up telemetry. */
const MAX_UNSETTLED = 4
/** Ticks come when a batch is due, but neither more often than a timer is worth nor so seldom that nothing seems to happen. */
const MIN_TICK_MS = 10
const MAX_TICK_MS = 1000

/** Makes deliveries at a steady rate. Time that passes without ticks (a busy process) is made up for, one second at most. */
export class Generator implements Component {
  readonly #options: GeneratorOptions
  readonly #context: ComponentContext
  readonly #outputs: Outputs
  readonly #model: Model
  readonly #timers = new Map<GeneratedSignal, Timer>()
  #unsettled = 0
  #stopped = false

  constructor(options: GeneratorOptions, context: ComponentContext, outputs: Outputs) {
    this.#options = options
    this.#context = context
    this.#outputs = outputs
    this.#model = new Model(options)
  }

  start(): void {
    for (const signal of GENERATED) {
      const output = this.#outputs[signal]
      if (output && this.#options.rates[signal] > 0) this.#pace(signal, output)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #pace(signal: GeneratedSignal, output: Consumer): void {
    const { clock, meter, id } = this.#context
    const { batchSize, total } = this.#options
    const perMs = this.#options.rates[signal] / 1000
    const tick = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, batchSize / perMs))
    const skipped = skippedItems(meter, id, signal)
    let left = total
    let due = 0
    let last = clock.monotonic()
    const run = (): void => {
      const now = clock.monotonic()
      due += Math.min(now - last, Math.max(MAX_TICK_MS, tick)) * perMs
      last = now
      const items = Math.min(Math.floor(due), left)
      due -= Math.floor(due)
      left -= this.#make(signal, output, items, skipped)
      if (left > 0 && !this.#stopped) this.#timers.set(signal, clock.setTimeout(run, tick))
      else this.#timers.delete(signal)
    }
    this.#timers.set(signal, clock.setTimeout(run, tick))
  }

  /** Returns how many items were made. */
  #make(signal: GeneratedSignal, output: Consumer, items: number, skipped: Counter): number {
    let left = items
    while (left > 0 && this.#unsettled < MAX_UNSETTLED && !this.#stopped) {
      const count = Math.min(left, this.#options.batchSize)
      const now = this.#context.clock.now()
      const batch = makeBatch(signal, [this.#model[signal](count, now)], count, { arrivedAt: now })
      this.#unsettled++
      const delivery = deliver(batch, { settled: () => void this.#unsettled-- })
      // There is no client to keep waiting, so a batch processor need not hurry either.
      delivery.admit()
      output.consume(delivery)
      left -= count
    }
    if (left > 0) skipped.add(left)
    return items - left
  }
}
