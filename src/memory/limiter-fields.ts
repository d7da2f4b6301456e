import type { ConfigProblem } from '../component/define.ts'
import { type ConfigOf, field } from '../config/field.ts'
import { availableMemory } from './available.ts'
import type { PressureSettings } from './pressure.ts'

/** The options of the `memory_limiter` processor and extension. */
export const limiterFields = {
  check_interval: field.duration('Time between two readings of the memory in use; 1s is usual.', { default: '0s' }),
  limit_mib: field.int('Hard limit of the memory in use, in MiB; it wins over `limit_percentage`.', {
    default: 0,
    min: 0,
  }),
  limit_percentage: field.int('Hard limit in percent of the memory that the process may use, cgroups included.', {
    default: 0,
    min: 0,
    max: 100,
  }),
  spike_limit_mib: field.int(
    'What may come in between two readings: the soft limit, from which on data is refused, is that much below the hard one. 0 means a fifth of `limit_mib`.',
    { default: 0, min: 0 },
  ),
  spike_limit_percentage: field.int('The same for `limit_percentage`; 0 means a fifth of it.', {
    default: 0,
    min: 0,
    max: 100,
  }),
  min_gc_interval_when_soft_limited: field.duration('Least time between two forced collections above the soft limit.', {
    default: '10s',
    min: 0,
  }),
  min_gc_interval_when_hard_limited: field.duration('Least time between two forced collections above the hard limit.', {
    default: '0s',
    min: 0,
  }),
  max_gc_interval_when_soft_limited: field.duration(
    'Most time between two, to which it doubles while they free less than 5 %; 0 does not double.',
    { default: '30s', min: 0 },
  ),
  max_gc_interval_when_hard_limited: field.duration('The same above the hard limit.', { default: '30s', min: 0 }),
  ballast_size_mib: field.noEffect(
    'Size of the memory ballast, as old configurations have it.',
    "a ballast holds off Go's collector; V8 sizes its heap by what lives in it",
  ),
}

export type LimiterConfig = ConfigOf<typeof limiterFields>

/** The Collector's rules between options, in its words, and a way out. */
export function limiterProblems(config: LimiterConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const problem = (key: keyof LimiterConfig, message: string): void => void problems.push({ path: [key], message })
  const {
    check_interval: interval,
    limit_mib: mib,
    limit_percentage: percentage,
    spike_limit_mib: spikeMib,
    spike_limit_percentage: spikePercentage,
    min_gc_interval_when_soft_limited: minSoft,
    min_gc_interval_when_hard_limited: minHard,
    max_gc_interval_when_soft_limited: maxSoft,
    max_gc_interval_when_hard_limited: maxHard,
  } = config
  if (interval <= 0) problem('check_interval', "'check_interval' must be greater than zero; 1s is usual")
  if (minSoft < minHard) {
    problem(
      'min_gc_interval_when_soft_limited',
      "'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'",
    )
  }
  for (const [key, max, min, minKey] of [
    ['max_gc_interval_when_soft_limited', maxSoft, minSoft, 'min_gc_interval_when_soft_limited'],
    ['max_gc_interval_when_hard_limited', maxHard, minHard, 'min_gc_interval_when_hard_limited'],
  ] as const) {
    if (max > 0 && max < min) problem(key, `'${key}' must be greater than or equal to '${minKey}' (or 0 to disable)`)
  }
  if (maxSoft > 0 && maxHard > 0 && maxSoft < maxHard) {
    problem(
      'max_gc_interval_when_soft_limited',
      "'max_gc_interval_when_soft_limited' should be larger than or equal to 'max_gc_interval_when_hard_limited' (when both are set)",
    )
  }
  if (mib === 0 && percentage === 0) {
    problem('limit_mib', "'limit_mib' or 'limit_percentage' must be greater than zero")
  }
  if (mib > 0 && mib <= spikeMib) problem('spike_limit_mib', "'spike_limit_mib' must be smaller than 'limit_mib'")
  if (percentage > 0 && percentage <= spikePercentage) {
    problem('spike_limit_percentage', "'spike_limit_percentage' must be smaller than 'limit_percentage'")
  }
  return problems
}

const MIB = 1 << 20

/** The limits in bytes; `available` is what the process may use. */
export function pressureSettings(config: LimiterConfig, available = availableMemory()): PressureSettings {
  const share = (percentage: number): number => Math.floor((available * percentage) / 100)
  const fixed = config.limit_mib > 0
  const hardLimit = fixed ? config.limit_mib * MIB : share(config.limit_percentage)
  const spike = fixed ? config.spike_limit_mib * MIB : share(config.spike_limit_percentage)
  return {
    hardLimit,
    softLimit: hardLimit - (spike || Math.floor(hardLimit / 5)),
    checkIntervalMs: config.check_interval,
    soft: {
      minMs: config.min_gc_interval_when_soft_limited,
      maxMs: config.max_gc_interval_when_soft_limited,
    },
    hard: {
      minMs: config.min_gc_interval_when_hard_limited,
      maxMs: config.max_gc_interval_when_hard_limited,
    },
  }
}
