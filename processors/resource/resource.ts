import { AttributeActions, actionsField, checkActions } from '../../src/component/attribute-actions.ts'
import { define } from '../../src/component/define.ts'

export default define({
  kind: 'processor',
  type: 'resource',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  summary: 'Sets, removes, hashes and converts the attributes of resources.',
  config: {
    attributes: actionsField('What to do with a resource’s attributes, in this order.'),
  },
  check: (config) => checkActions(config.attributes, 'attributes'),
  record(config, ctx) {
    const actions = new AttributeActions(config.attributes, ctx)
    return {
      access: { resource: { reads: ['resource'], writes: ['resource'] } },
      resource: (resource) => actions.apply(resource.attributes),
      commit: () => actions.commit(),
      abort: () => actions.abort(),
    }
  },
})
