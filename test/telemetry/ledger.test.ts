import { expect, test } from 'vitest'
import { heldReadings, ledgerRows, ledgerTable, PipelineLedger } from '../../src/telemetry/ledger.ts'
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
