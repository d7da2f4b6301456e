import { define } from '../../src/component/define.ts'
import { limiterFields, limiterProblems } from '../../src/memory/limiter-fields.ts'

export default define({
  kind: 'extension',
  type: 'memory_limiter',
  stability: 'beta',
  signals: [],
  summary: "Refuses receivers' requests by their headers while the process uses too much memory.",
  config: limiterFields,
  older: [{ key: 'ballast_size_mib', reason: 'there is no ballast to be taken off the heap' }],
  check: limiterProblems,
  async create(config, ctx) {
    const { MemoryLimiterExtension } = await import('./extension.ts')
    return new MemoryLimiterExtension(config, ctx)
  },
})
