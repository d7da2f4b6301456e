import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Gatekeeper } from '../../src/component/extension-roles.ts'
import type { LimiterConfig } from '../../src/memory/limiter-fields.ts'
import { limiterOf } from '../../src/memory/limiter-of.ts'
import { DATA_REFUSED, type MemoryLimiter } from '../../src/memory/memory-limiter.ts'
import { type CallStatus, GRPC } from '../../src/transport/unary.ts'

/** The gate that receivers name in `middlewares`. */
export class MemoryLimiterExtension implements Component, Gatekeeper {
  readonly #limiter: MemoryLimiter
  readonly #ctx: ComponentContext

  constructor(config: LimiterConfig, ctx: ComponentContext) {
    this.#limiter = limiterOf(config, ctx)
    this.#ctx = ctx
  }

  start(): void {
    this.#limiter.attach(this.#ctx)
  }

  stop(): void {
    this.#limiter.detach(this.#ctx)
  }

  admit(): CallStatus | undefined {
    if (!this.#limiter.refusing) return undefined
    const { retryAfterMs } = this.#limiter
    return { code: GRPC.UNAVAILABLE, message: DATA_REFUSED, retryAfterMs, reason: 'memory_limited' }
  }
}
