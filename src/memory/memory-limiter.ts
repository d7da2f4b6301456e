import type { Timer } from '../clock.ts'
import type { ComponentContext } from '../component/contracts.ts'
import type { Gauge } from '../telemetry/meter.ts'
import { collectGarbage } from './collect-garbage.ts'
import { JointDecision } from './joint-decision.ts'
import { limiterGauges } from './limiter-gauges.ts'
import { Pressure, type PressureSettings } from './pressure.ts'

const MIB = 1 << 20

/** What everybody is told whose data is refused: the Collector's words. */
export const DATA_REFUSED = 'data refused due to high memory usage'

/** What a limiter takes from the context of the first component that uses it. */
export type LimiterContext = Pick<
  ComponentContext,
  'admission' | 'clock' | 'id' | 'kind' | 'lane' | 'log' | 'memory' | 'meter' | 'shared'
>

/** A component that a limiter works for: its context. */
export type LimiterUser = Pick<ComponentContext, 'report'>

/** A leader that has not decided for so many checks, and for so long, hangs. */
const PATIENCE = { checks: 3, leastMs: 2000 } as const

/**
 * Reads the process' memory from time to time and says whether new data may come in. While it may not, receivers refuse
 * requests before they read their bodies as well (`Admission.limiting`). One for all components of one configuration in a
 * lane; those of all lanes decide as one: the first that checks leads, the others say how much memory they use and do as it
 * has decided. Each collects its own garbage, for V8 has no other way, one after the other.
 */
export class MemoryLimiter {
  readonly #settings: PressureSettings
  readonly #ctx: LimiterContext
  readonly #collect: () => void
  readonly #pressure: Pressure
  readonly #users = new Set<LimiterUser>()
  readonly #used: Gauge
  readonly #joint: JointDecision
  #collections: number
  #timer: Timer | undefined
  #limiting = false

  /** `collect` is there for tests. */
  constructor(settings: PressureSettings, ctx: LimiterContext, collect = collectGarbage) {
    this.#settings = settings
    this.#ctx = ctx
    this.#collect = collect
    this.#pressure = new Pressure(settings, ctx.clock.monotonic())
    const patience = Math.max(PATIENCE.leastMs, PATIENCE.checks * settings.checkIntervalMs)
    this.#joint = new JointDecision(ctx.shared('limiter'), patience)
    this.#collections = this.#joint.collections
    const { soft, hard, used } = limiterGauges(ctx.meter, `${ctx.kind} ${ctx.id}`)
    soft.set(settings.softLimit)
    hard.set(settings.hardLimit)
    this.#used = used
  }

  get refusing(): boolean {
    return this.#joint.refusing
  }

  /** How long a refused client should wait: until the next check, and at least a second. */
  get retryAfterMs(): number {
    return Math.max(1000, this.#settings.checkIntervalMs)
  }

  /** One more component uses it; the first begins the checks. It is told of the limiter's health. */
  attach(user: LimiterUser): void {
    this.#users.add(user)
    if (this.#timer !== undefined) return
    // The lanes check one after the other, so that they do not all collect at once.
    const { index, count } = this.#ctx.lane
    this.#schedule(this.#settings.checkIntervalMs * (1 + index / count))
  }

  /** One less; the last ends the checks and lets everything in. */
  detach(user: LimiterUser): void {
    this.#users.delete(user)
    if (this.#users.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#limit(false)
    this.#joint.resign()
  }

  #schedule(ms: number): void {
    this.#timer = this.#ctx.clock.setTimeout(() => {
      this.#schedule(this.#settings.checkIntervalMs)
      this.check()
    }, ms)
  }

  /** Reads the memory and acts on it. */
  check(): void {
    const { clock, memory } = this.#ctx
    // The reading also tells the others what this thread uses.
    const used = memory.used()
    const leads = this.#joint.leads(clock.now())
    this.#used.set(leads ? this.#lead(used) : this.#follow(used))
    this.#limit(leads && this.refusing)
    for (const user of this.#users) {
      if (this.refusing) user.report('recoverable', DATA_REFUSED)
      else user.report('ok')
    }
  }

  #follow(used: number): number {
    const { collections } = this.#joint
    if (collections === this.#collections) return used
    this.#collections = collections
    this.#collect()
    return this.#ctx.memory.used()
  }

  #lead(read: number): number {
    const { clock, log, memory } = this.#ctx
    const before = this.#joint.refusing
    let used = read
    const above = this.#pressure.read(used, clock.monotonic())
    if (above !== undefined) {
      const text = `Memory usage is above ${above} limit. Forcing a GC.`
      if (above === 'hard') log.warn({ cur_mem_mib: mib(used) }, text)
      else log.info({ cur_mem_mib: mib(used) }, text)
      this.#joint.askToCollect()
      this.#collections = this.#joint.collections
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
    const { refusing } = this.#pressure
    this.#joint.decide(refusing)
    if (refusing && !before) {
      log.warn({ cur_mem_mib: mib(used) }, 'Memory usage is above soft limit. Refusing data.')
    } else if (before && !refusing) {
      log.info({ cur_mem_mib: mib(used) }, 'Memory usage back within limits. Resuming normal operation.')
    }
    return used
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
