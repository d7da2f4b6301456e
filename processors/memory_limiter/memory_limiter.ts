import { define } from '../../src/component/define.ts'
import { limiterFields, limiterProblems } from '../../src/memory/limiter-fields.ts'

export default define({
  kind: 'processor',
  type: 'memory_limiter',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Refuses data, for its sender to send again, while the process uses too much memory.',
  config: limiterFields,
  older: [{ key: 'ballast_size_mib', reason: 'there is no ballast to be taken off the heap' }],
  check: limiterProblems,
  async create(config, ctx, next) {
    const { MemoryLimiterProcessor } = await import('./processor.ts')
    return new MemoryLimiterProcessor(config, ctx, next)
  },
})
