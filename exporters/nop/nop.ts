import { define } from '../../src/component/define.ts'
import { ack, type Consumer } from '../../src/component/delivery.ts'

const taker: Consumer = { acknowledges: 'delivered', consume: ack }

export default define({
  kind: 'exporter',
  type: 'nop',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Takes everything and sends it nowhere, for pipelines whose work ends before an exporter.',
  config: {},
  create() {
    return taker
  },
})
