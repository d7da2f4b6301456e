import { systemClock } from '../../../src/clock.ts'
import type { Component, ComponentContext } from '../../../src/component/contracts.ts'
import type { Definition } from '../../../src/component/define.ts'
import { ack, type Consumer } from '../../../src/component/delivery.ts'
import { testContext } from '../../support/context.ts'
import { testHost } from '../../support/host.ts'

const sink: Consumer = { acknowledges: 'delivered', consume: ack }

/** A component with options as the loader fills them, and nothing of interest around it. */
export async function createWith(subject: Definition, options: object): Promise<Component> {
  const config = options as never
  const ctx: ComponentContext = {
    ...testContext(),
    kind: subject.kind,
    id: subject.type,
    signals: subject.signals,
    clock: systemClock,
  }
  switch (subject.kind) {
    case 'receiver':
      return subject.create(config, ctx, Object.fromEntries(subject.signals.map((signal) => [signal, sink])))
    case 'processor':
      if (!subject.record) return subject.create(config, ctx, sink)
      await subject.record(config, ctx)
      return {}
    case 'connector':
      return subject.create(config, ctx, { to: () => sink, pipeline: () => sink, pipelines: ['traces'] })
    case 'extension':
      if (subject.place === 'host') return subject.create(config, { ...ctx, host: testHost() })
      return subject.create(config, ctx)
    default:
      return subject.create(config, ctx)
  }
}
