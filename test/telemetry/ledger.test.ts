import { describe, expect, test } from 'vitest'
import {
  bookInTransit,
  bookLost,
  heldReadings,
  ledgerRows,
  ledgerTable,
  PipelineLedger,
} from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'

function books(): { registry: MeterRegistry; meter: SharedMeter } {
  const registry = new MeterRegistry()
  const memory = SharedMeter.memory()
  return { registry, meter: new SharedMeter(memory, registry.attach(memory)) }
}

test('every end has its own column and what has not ended is held', () => {
  const { registry, meter } = books()
  const ledger = new PipelineLedger(meter, 'traces')
  ledger.accepted(100)
  ledger.sent(60)
  ledger.dropped('filter', 'filtered', 10)
  ledger.failed('unreachable', 5)
  ledger.failed('rejected', 3)
  ledger.folded('interval', 2)

  const rows = ledgerRows(registry.read())
  expect(rows).toEqual([
    {
      pipeline: 'traces',
      accepted: 100,
      sent: 60,
      dropped: { 'filter: filtered': 10 },
      failed: { unreachable: 5, rejected: 3 },
      folded: { interval: 2 },
      held: 20,
    },
  ])
  expect(heldReadings(rows)[0]).toMatchObject({ labels: { pipeline: 'traces' }, value: 20 })
})

test('the table reads well', () => {
  const { registry, meter } = books()
  const traces = new PipelineLedger(meter, 'traces/eu')
  traces.accepted(1_234_567)
  traces.sent(1_234_000)
  traces.failed('unreachable', 500)
  traces.failed('rejected', 67)
  new PipelineLedger(meter, 'logs').accepted(0)

  expect(ledgerTable(ledgerRows(registry.read()))).toBe(
    [
      'pipeline    accepted       sent  dropped                              failed  folded  held',
      'logs               0          0        0                                   0       0     0',
      'traces/eu  1,234,567  1,234,000        0  567 (unreachable 500, rejected 67)       0     0',
    ].join('\n'),
  )
})

describe('a lane that is lost', () => {
  test('leaves its counts, and what it held has failed', () => {
    const { registry, meter } = books()
    const memory = SharedMeter.memory()
    const lane = new PipelineLedger(new SharedMeter(memory, registry.attach(memory)), 'traces')
    lane.accepted(100)
    lane.sent(60)
    lane.dropped('filter', 'filtered', 10)
    new PipelineLedger(meter, 'traces').accepted(7)

    expect(bookLost(meter, registry.retire(memory))).toEqual({ traces: 30 })
    expect(ledgerRows(registry.read())).toEqual([
      {
        pipeline: 'traces',
        accepted: 107,
        sent: 60,
        dropped: { 'filter: filtered': 10 },
        failed: { lane_lost: 30 },
        folded: {},
        held: 7,
      },
    ])
  })

  test('answers for what it took over, and not for what it handed on', () => {
    const { registry, meter } = books()
    const memories = [SharedMeter.memory(), SharedMeter.memory()]
    const [giver, taker] = memories.map((memory) => {
      return new PipelineLedger(new SharedMeter(memory, registry.attach(memory)), 'traces')
    }) as [PipelineLedger, PipelineLedger]
    giver.accepted(100)
    giver.given(40)
    taker.taken(40)
    taker.dropped('filter', 'filtered', 3)

    expect(bookLost(meter, registry.retire(memories[0]!))).toEqual({ traces: 60 })
    expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 100, failed: { lane_lost: 60 }, held: 37 }])
    expect(bookLost(meter, registry.retire(memories[1]!))).toEqual({ traces: 37 })
    expect(ledgerRows(registry.read())).toMatchObject([{ failed: { lane_lost: 97 }, held: 0 }])
  })

  test('what was on its way between two lanes that are both lost is lost, once', () => {
    const { registry, meter } = books()
    const memories = [SharedMeter.memory(), SharedMeter.memory()]
    const [giver, taker] = memories.map((memory) => {
      return new PipelineLedger(new SharedMeter(memory, registry.attach(memory)), 'traces')
    }) as [PipelineLedger, PipelineLedger]
    giver.accepted(100)
    giver.given(40)
    taker.taken(30)

    expect(bookLost(meter, registry.retire(memories[0]!))).toEqual({ traces: 60 })
    expect(bookLost(meter, registry.retire(memories[1]!))).toEqual({ traces: 30 })
    expect(bookInTransit(meter, registry.read())).toEqual({ traces: 10 })
    expect(ledgerRows(registry.read())).toMatchObject([{ failed: { lane_lost: 100 }, held: 0 }])
  })
})
