import { describe, expect, it } from 'vitest'
import forward from '../../../connectors/forward/forward.ts'
import type { ConnectorOutputs } from '../../../src/component/contracts.ts'
import { ack } from '../../../src/component/delivery.ts'
import type { Signal } from '../../../src/otlp/batch.ts'
import { testContext } from '../../support/context.ts'
import { opaqueBatch, Sink, track } from '../../support/deliveries.ts'

function outputs(to: Partial<Record<Signal, Sink>>): ConnectorOutputs {
  return { to: (signal) => to[signal], pipeline: () => undefined, pipelines: [] }
}

describe('forward connector', () => {
  it('hands on the very delivery, to the pipelines of its signal', async () => {
    const to = { traces: new Sink(), logs: new Sink() }
    const connector = await forward.create(
      {},
      testContext({ kind: 'connector', signals: ['traces', 'logs'] }),
      outputs(to),
    )
    const { delivery, events } = track(opaqueBatch(3, 'logs'))
    connector.consume(delivery)
    expect(to.logs.deliveries).toEqual([delivery])
    expect(to.traces.deliveries).toEqual([])
    ack(to.logs.last)
    expect(events).toEqual(['ok'])
  })

  it('acknowledges what the weakest of its pipelines does', async () => {
    const to = { traces: new Sink('persisted'), logs: new Sink('delivered') }
    const ctx = testContext({ kind: 'connector', signals: ['traces', 'logs'] })
    expect((await forward.create({}, ctx, outputs(to))).acknowledges).toBe('persisted')
    expect((await forward.create({}, ctx, outputs({ logs: to.logs }))).acknowledges).toBe('delivered')
  })

  it('refuses a signal for which it feeds no pipeline', async () => {
    const connector = await forward.create({}, testContext({ signals: ['traces'] }), outputs({ traces: new Sink() }))
    const { delivery, events } = track(opaqueBatch(3, 'metrics'))
    connector.consume(delivery)
    expect(events).toEqual(['reject:wrong_signal'])
  })
})
