import { afterEach, expect, test } from 'vitest'
import { ledgerRows } from '../../src/telemetry/ledger.ts'
import { type Started, startLanes } from './support/start-lanes.ts'

const started: Started[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ supervisor }) => supervisor.stop(1000)))
})

async function retireAndAdd(unreadable: boolean): Promise<Started> {
  const one = startLanes({ items: 7 }, {}, { lanes: 2 }, { unreadable })
  started.push(one)
  const { supervisor, registry, listening } = one
  await listening
  await supervisor.complete()
  // Each lane has its seven.
  await expect.poll(() => ledgerRows(registry.read())).toMatchObject([{ accepted: 14, held: 14 }])
  await supervisor.retire(1, 5000)
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 14, dropped: {}, failed: {}, held: 14 }])
  expect(await supervisor.add()).toBe(1)
  return one
}

test('what a component holds as state moves from a lane that retires to the one in its slot', async () => {
  const { supervisor, registry } = await retireAndAdd(false)
  await supervisor.stop(5000)
  // Seven of each of three lanes, those of the second by way of the third.
  expect(ledgerRows(registry.read())).toMatchObject([
    { accepted: 21, dropped: { 'hoarder: hoarded': 21 }, failed: {}, held: 0 },
  ])
})

test('state that cannot be taken in is booked as lost', async () => {
  const { supervisor, registry } = await retireAndAdd(true)
  await supervisor.stop(5000)
  expect(ledgerRows(registry.read())).toMatchObject([
    { accepted: 21, dropped: { 'hoarder: hoarded': 14 }, failed: { lane_lost: 7 }, held: 0 },
  ])
})
