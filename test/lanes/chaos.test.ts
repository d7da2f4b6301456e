// Lanes that are killed under load. `npm run test:long -- lanes-chaos` does it for a minute.
import { expect, test } from 'vitest'
import { total } from '../../src/telemetry/ledger.ts'
import { chaos } from './support/chaos.ts'

test('what was acknowledged as delivered is, and every item has one end, while lanes are killed', async () => {
  const { acknowledged, missing, kills, replaced, row, open, lostItems, reservedBytes } = await chaos({
    seconds: 4,
    leastKills: 3,
    killEveryMs: 700,
    lanes: 2,
    clients: 8,
  })
  expect(acknowledged).toBeGreaterThan(0)
  expect(missing).toBe(0)
  expect(kills).toBeGreaterThanOrEqual(3)
  expect(replaced).toBe(kills)
  expect([open, row.held, reservedBytes]).toEqual([0, 0, 0])
  expect(row.failed.lane_lost ?? 0).toBe(lostItems)
  // A client hears of its items' end, or not, but never of one that did not come about.
  expect(row.sent).toBeGreaterThanOrEqual(acknowledged)
  expect(row.accepted).toBe(row.sent + total(row.failed))
})
