import { define } from '../../src/component/define.ts'

export default define({
  kind: 'receiver',
  type: 'nop',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Receives nothing, for pipelines that are to start without a source.',
  config: {},
  create() {
    return {}
  },
})
