import { define } from '../../src/component/define.ts'
import { type Consumer, nack, weakest } from '../../src/component/delivery.ts'

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
      acknowledges: weakest(outputs.values()),
      refusing: (arriving) => outputs.get(arriving.signal)?.refusing?.(arriving),
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
