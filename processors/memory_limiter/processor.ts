import type { Refuses } from '../../src/component/back-pressure.ts'
import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import { type Acknowledgement, type Consumer, type Delivery, nack } from '../../src/component/delivery.ts'
import type { LimiterConfig } from '../../src/memory/limiter-fields.ts'
import { limiterOf } from '../../src/memory/limiter-of.ts'
import { DATA_REFUSED, type MemoryLimiter } from '../../src/memory/memory-limiter.ts'
import { type LimiterMetrics, limiterMetrics } from './metrics.ts'

/** Hands everything on, or refuses everything while its limiter says so. Holds nothing. */
export class MemoryLimiterProcessor implements Component, Consumer {
  readonly #limiter: MemoryLimiter
  readonly #ctx: ComponentContext
  readonly #next: Consumer
  readonly #metrics: LimiterMetrics

  constructor(config: LimiterConfig, ctx: ComponentContext, next: Consumer) {
    this.#limiter = limiterOf(config, ctx)
    this.#ctx = ctx
    this.#next = next
    this.#metrics = limiterMetrics(ctx)
  }

  get acknowledges(): Acknowledgement {
    return this.#next.acknowledges
  }

  /** While its limiter refuses, receivers turn requests away by their headers anyway. */
  get refusing(): Refuses | undefined {
    return this.#next.refusing
  }

  start(): void {
    this.#limiter.attach(this.#ctx)
  }

  stop(): void {
    this.#limiter.detach(this.#ctx)
  }

  consume(delivery: Delivery): void {
    const { signal, items } = delivery.batch
    const counters = this.#metrics[signal]
    if (!this.#limiter.refusing) {
      counters?.accepted.add(items)
      this.#next.consume(delivery)
      return
    }
    counters?.refused.add(items)
    const reason = 'memory_limited'
    this.#ctx.ledger?.failed(signal, reason, items)
    const { retryAfterMs } = this.#limiter
    nack(delivery, { verdict: 'retry', reason, message: DATA_REFUSED, retryAfterMs })
  }
}
