import { type ConfigProblem, define } from '../../src/component/define.ts'
import { field } from '../../src/config/field.ts'

export default define({
  kind: 'processor',
  type: 'batch',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Joins small batches so that exporters make fewer, larger requests.',
  config: {
    send_batch_size: field.int('Sends as soon as this many items are held; 0 sends at once.', {
      default: 8192,
      min: 0,
    }),
    timeout: field.duration('Sends what is held after this long, however little it is; 0 sends at once.', {
      default: '200ms',
      min: 0,
    }),
    send_batch_max_size: field.int('Splits what would be larger, in items; 0 is no limit.', { default: 0, min: 0 }),
    metadata_keys: field.list(
      'Joins only batches whose client metadata has the same values of these keys, and hands those values on.',
      field.string('A header or gRPC metadata name, in any case.'),
      { default: [] },
    ),
    metadata_cardinality_limit: field.int('The most combinations of metadata values held at a time; 0 is no limit.', {
      default: 1000,
      min: 0,
    }),
  },
  check(config) {
    const problems: ConfigProblem[] = []
    const { send_batch_size: size, send_batch_max_size: max } = config
    if (max > 0 && max < size) {
      problems.push({
        path: ['send_batch_max_size'],
        message: `expected 0 or at least send_batch_size (${size}), got ${max}`,
      })
    }
    const seen = new Set<string>()
    for (const [i, key] of config.metadata_keys.entries()) {
      if (seen.has(key.toLowerCase())) {
        problems.push({
          path: ['metadata_keys', i],
          message: `expected every key once, whatever its case, got "${key}" again; remove it`,
        })
      }
      seen.add(key.toLowerCase())
    }
    return problems
  },
  async create(config, ctx, next) {
    const { BatchProcessor } = await import('./processor.ts')
    return new BatchProcessor(
      {
        timeoutMs: config.timeout,
        triggerItems: config.send_batch_size,
        maxItems: config.send_batch_max_size || Number.POSITIVE_INFINITY,
        metadataKeys: config.metadata_keys.map((key) => key.toLowerCase()),
        maxShards: config.metadata_cardinality_limit || Number.POSITIVE_INFINITY,
      },
      ctx,
      next,
    )
  },
})
