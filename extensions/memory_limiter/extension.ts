import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Gatekeeper } from '../../src/component/extension-roles.ts'
import { type LimiterConfig, limiterOf } from '../../src/memory/limiter-fields.ts'
import { DATA_REFUSED, type MemoryLimiter } from '../../src/memory/memory-limiter.ts'
import { type CallStatus, GRPC } from '../../src/transport/unary.ts'

/** The gate that receivers name in `middlewares`. */
export class MemoryLimiterExtension implements Component, Gatekeeper {
  readonly #limiter: MemoryLimiter
  readonly #report: ComponentContext['report']

  constructor(config: LimiterConfig, ctx: ComponentContext) {
    this.#limiter = limiterOf(config, ctx)
    this.#report = (status, message) => ctx.report(status, message)
  }

  start(): void {
    this.#limiter.attach(this.#report)
  }

  stop(): void {
    this.#limiter.detach(this.#report)
  }

  admit(): CallStatus | undefined {
    if (!this.#limiter.refusing) return undefined
    const { retryAfterMs } = this.#limiter
    return { code: GRPC.UNAVAILABLE, message: DATA_REFUSED, retryAfterMs, reason: 'memory_limited' }
  }
}
