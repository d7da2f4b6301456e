import { define } from '../../src/component/define.ts'
import { check } from './check.ts'
import { fields } from './fields.ts'

export default define({
  kind: 'receiver',
  type: 'otlp',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Takes OTLP from SDKs, agents and other Collectors, over gRPC and HTTP.',
  config: fields,
  check,
  async create(config, ctx, next) {
    const { OtlpReceiver } = await import('./receiver.ts')
    return new OtlpReceiver(config, ctx, next)
  },
})
