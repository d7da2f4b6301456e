import { type LimiterConfig, pressureSettings } from './limiter-fields.ts'
import { type LimiterContext, MemoryLimiter } from './memory-limiter.ts'

const MIB = 1 << 20

const limiters = new WeakMap<LimiterConfig, MemoryLimiter>()

/**
 * The limiter of a configuration: components that are given the same one (a processor in several pipelines) share it, so that memory is
 * read and garbage collected once.
 */
export function limiterOf(config: LimiterConfig, ctx: LimiterContext): MemoryLimiter {
  let limiter = limiters.get(config)
  if (limiter === undefined) {
    const settings = pressureSettings(config)
    limiter = new MemoryLimiter(settings, ctx)
    limiters.set(config, limiter)
    const { hardLimit, softLimit, checkIntervalMs } = settings
    ctx.log.info(
      {
        limit_mib: Math.floor(hardLimit / MIB),
        spike_limit_mib: Math.floor((hardLimit - softLimit) / MIB),
        check_interval_ms: checkIntervalMs,
      },
      'Memory limiter configured',
    )
  }
  return limiter
}
