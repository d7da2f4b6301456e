import type { Timer } from '../clock.ts'
import type { ComponentContext } from '../component/contracts.ts'
import type { Gauge } from '../telemetry/meter.ts'
import { collectGarbage } from './collect-garbage.ts'
import { limiterGauges } from './limiter-gauges.ts'
import { Pressure, type PressureSettings } from './pressure.ts'

const MIB = 1 << 20

/** What everybody is told whose data is refused: the Collector's words. */
export const DATA_REFUSED = 'data refused due to high memory usage'

/** What a limiter takes from the context of the first component that uses it. */
export type LimiterContext = Pick<ComponentContext, 'admission' | 'clock' | 'id' | 'kind' | 'log' | 'memory' | 'meter'>

/** A component that a limiter works for: its context. */
export type LimiterUser = Pick<ComponentContext, 'report'>

/**
 * Reads the process' memory from time to time and says whether new data may come in. While it may not, receivers refuse
 * requests before they read their bodies as well (`Admission.limiting`). One for all components of one configuration.
 */
export class MemoryLimiter {
  readonly #settings: PressureSettings
  readonly #ctx: LimiterContext
  readonly #collect: () => void
  readonly #pressure: Pressure
  readonly #users = new Set<LimiterUser>()
  readonly #used: Gauge
  #timer: Timer | undefined
  #limiting = false

  /** `collect` is there for tests. */
  constructor(settings: PressureSettings, ctx: LimiterContext, collect = collectGarbage) {
    this.#settings = settings
    this.#ctx = ctx
    this.#collect = collect
    this.#pressure = new Pressure(settings, ctx.clock.monotonic())
    const { soft, hard, used } = limiterGauges(ctx.meter, `${ctx.kind} ${ctx.id}`)
    soft.set(settings.softLimit)
    hard.set(settings.hardLimit)
    this.#used = used
  }

  get refusing(): boolean {
    return this.#pressure.refusing
  }

  /** How long a refused client should wait: until the next check, and at least a second. */
  get retryAfterMs(): number {
    return Math.max(1000, this.#settings.checkIntervalMs)
  }

  /** One more component uses it; the first begins the checks. It is told of the limiter's health. */
  attach(user: LimiterUser): void {
    this.#users.add(user)
    if (this.#timer === undefined) this.#schedule()
  }

  /** One less; the last ends the checks and lets everything in. */
  detach(user: LimiterUser): void {
    this.#users.delete(user)
    if (this.#users.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#limit(false)
  }

  #schedule(): void {
    this.#timer = this.#ctx.clock.setTimeout(() => {
      this.#schedule()
      this.check()
    }, this.#settings.checkIntervalMs)
  }

  /** Reads the memory and acts on it. */
  check(): void {
    const { clock, log, memory } = this.#ctx
    const before = this.#pressure.refusing
    let used = memory.used()
    const above = this.#pressure.read(used, clock.monotonic())
    if (above !== undefined) {
      const text = `Memory usage is above ${above} limit. Forcing a GC.`
      if (above === 'hard') log.warn({ cur_mem_mib: mib(used) }, text)
      else log.info({ cur_mem_mib: mib(used) }, text)
      this.#collect()
      used = memory.used()
      if (!this.#pressure.collected(used, clock.monotonic())) {
        const { soft, hard } = this.#pressure.pauses
        log.warn(
          { cur_mem_mib: mib(used), next_soft_gc_interval_ms: soft, next_hard_gc_interval_ms: hard },
          'Forced GC did not reclaim enough memory. Will back off GC frequency to preserve CPU for recovery.',
        )
      }
    }
    this.#used.set(used)
    const { refusing } = this.#pressure
    if (refusing && !before) {
      log.warn({ cur_mem_mib: mib(used) }, 'Memory usage is above soft limit. Refusing data.')
    } else if (before && !refusing) {
      log.info({ cur_mem_mib: mib(used) }, 'Memory usage back within limits. Resuming normal operation.')
    }
    this.#limit(refusing)
    for (const user of this.#users) {
      if (refusing) user.report('recoverable', DATA_REFUSED)
      else user.report('ok')
    }
  }

  #limit(on: boolean): void {
    if (on === this.#limiting) return
    this.#limiting = on
    this.#ctx.admission.limiting(on)
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB)
}
