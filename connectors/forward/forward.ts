import { define } from '../../src/component/define.ts'
import { type Acknowledgement, type Consumer, nack } from '../../src/component/delivery.ts'

/** From the weakest to the strongest. */
const STRENGTH: readonly Acknowledgement[] = ['admitted', 'persisted', 'delivered']

export default define({
  kind: 'connector',
  type: 'forward',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  summary: 'Hands what leaves some pipelines to others of the same signal, to join or to branch them.',
  connects: [
    ['traces', 'traces'],
    ['metrics', 'metrics'],
    ['logs', 'logs'],
    ['profiles', 'profiles'],
  ],
  config: {},
  create(_config, ctx, next) {
    const outputs = new Map<string, Consumer>()
    for (const signal of ctx.signals) {
      const output = next.to(signal)
      if (output !== undefined) outputs.set(signal, output)
    }
    return {
      get acknowledges() {
        const strengths = [...outputs.values()].map((output) => STRENGTH.indexOf(output.acknowledges))
        return STRENGTH[Math.min(...strengths)] ?? 'delivered'
      },
      consume(delivery) {
        const { signal } = delivery.batch
        const output = outputs.get(signal)
        if (output !== undefined) output.consume(delivery)
        else {
          nack(delivery, {
            verdict: 'reject',
            reason: 'wrong_signal',
            message: `connector ${ctx.id}: feeds no ${signal} pipeline but was handed ${signal}`,
          })
        }
      },
    }
  },
})
