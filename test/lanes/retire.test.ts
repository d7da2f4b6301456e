// A lane that is drained and ended while its neighbours run, and one that comes: what reload will use.
import { expect, onTestFinished, test } from 'vitest'
import { ledgerRows } from '../../src/telemetry/ledger.ts'
import { type Started, startLanes } from './support/start-lanes.ts'

async function started(...options: Parameters<typeof startLanes>): Promise<Started> {
  const one = startLanes(...options)
  onTestFinished(() => one.supervisor.stop(0))
  await one.listening
  await one.supervisor.complete()
  return one
}

test('a lane that retires gives up what it holds as at a stop, is no loss, and leaves its slot to the next', async () => {
  const lost: unknown[] = []
  const counts: number[] = []
  const { supervisor, registry } = await started(
    { items: 3 },
    { keep: true },
    { lanes: 3, onLost: (lane) => lost.push(lane), onLanes: (running) => counts.push(running) },
  )
  const before = supervisor.threads.get(1)
  await supervisor.retire(1, 1000)
  expect([...supervisor.threads.keys()]).toEqual([0, 2])
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 9, failed: { stopping: 3 }, held: 6 }])
  expect(await supervisor.add()).toBe(1)
  expect([...supervisor.threads.keys()]).toEqual([0, 1, 2])
  await expect(supervisor.add()).rejects.toThrow('there are 3 slots, and each has a lane')
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 12, held: 9 }])
  expect(lost).toEqual([])
  expect(counts).toEqual([1, 2, 3, 2, 3])
  // A thread of its own, with nothing that the one before left behind.
  expect(supervisor.threads.get(1)).not.toBe(before)
})

test('a lane that is lost while it retires is booked as lost, and not replaced', async () => {
  const lost: unknown[] = []
  const { supervisor, registry } = await started(
    { items: 3 },
    { stuck: true },
    { lanes: 2, onLost: (lane) => lost.push(lane) },
  )
  const worker = supervisor.threads.get(1)!
  const retired = supervisor.retire(1, 60_000)
  await worker.terminate()
  await retired
  expect(lost).toMatchObject([{ lane: 1, items: { traces: 3 }, replaced: false }])
  expect([...supervisor.threads.keys()]).toEqual([0])
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 6, failed: { lane_lost: 3 }, held: 3 }])
})

test('a lane that does not stop in time is given up', async () => {
  const lost: unknown[] = []
  const { supervisor, registry } = await started({ items: 3 }, { stuck: true }, { onLost: (lane) => lost.push(lane) })
  await supervisor.stop(0)
  expect(lost).toMatchObject([{ lane: 0, items: { traces: 3 }, replaced: false }])
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 3, failed: { lane_lost: 3 }, held: 0 }])
})

test('the last lane does not retire, nor one that is not there', async () => {
  const { supervisor } = await started({ items: 3 })
  await expect(supervisor.retire(0, 1000)).rejects.toThrow('the last lane cannot retire')
  await expect(supervisor.retire(7, 1000)).rejects.toThrow('no lane runs in slot 7')
})
