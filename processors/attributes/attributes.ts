import { AttributeActions, actionsField, checkActions } from '../../src/component/attribute-actions.ts'
import { define } from '../../src/component/define.ts'
import type { Access } from '../../src/component/record-processor.ts'
import type { Attributes } from '../../src/otlp/cursors.ts'
import { checkMatch, checkMatchFor, matchField } from './match-config.ts'
import { Selection } from './selection.ts'

const OWN_RECORD: Access = { reads: ['record'], writes: ['record'] }

export default define({
  kind: 'processor',
  type: 'attributes',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  summary: 'Sets, removes, hashes and converts the attributes of spans, data points and log records.',
  config: {
    actions: actionsField('What to do with each record’s attributes, in this order.'),
    include: matchField('Only records that match all of this are edited.'),
    exclude: matchField('Of those, records that match all of this are left alone.'),
  },
  check: (config) => [
    ...checkActions(config.actions, 'actions'),
    ...checkMatch(config.include, 'include'),
    ...checkMatch(config.exclude, 'exclude'),
  ],
  checkSignal: (config, signal) => [
    ...checkMatchFor(signal, config.include, 'include'),
    ...checkMatchFor(signal, config.exclude, 'exclude'),
  ],
  record(config, ctx) {
    const actions = new AttributeActions(config.actions, ctx)
    const common = {
      commit: () => actions.commit(),
      abort: () => actions.abort(),
    }
    if (config.include === undefined && config.exclude === undefined) {
      const run = actions.apply
      const apply = ({ attributes }: { readonly attributes: Attributes }): void => run(attributes)
      return { access: { record: OWN_RECORD }, span: apply, log: apply, dataPoint: apply, ...common }
    }
    const selection = new Selection(config.include, config.exclude)
    return {
      access: { ...selection.access, record: OWN_RECORD },
      ...selection.hooks,
      span: (span) => {
        if (selection.hasSpan(span)) actions.apply(span.attributes)
      },
      log: (log) => {
        if (selection.hasLog(log)) actions.apply(log.attributes)
      },
      dataPoint: (point) => {
        if (selection.hasDataPoint()) actions.apply(point.attributes)
      },
      ...common,
    }
  },
})
