import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { LostLane } from '../../src/lanes/supervisor.ts'
import { ledgerRows, total } from '../../src/telemetry/ledger.ts'
import { type Started, startLanes } from './support/start-lanes.ts'

const started: Started[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ supervisor }) => supervisor.stop(0)))
})

function start(...options: Parameters<typeof startLanes>): Started {
  const one = startLanes(...options)
  started.push(one)
  return one
}

test('pipelines run in a thread of their own, whose books the supervisor reads', async () => {
  const { supervisor, registry, listening } = start({ items: 7 })
  expect(await listening).toEqual([{ component: 'receiver source', transport: 'none', address: 'nowhere:1' }])
  await supervisor.stop(1000)
  await supervisor.ended
  expect(ledgerRows(registry.read())).toMatchObject([{ pipeline: 'traces', accepted: 7, sent: 7, held: 0 }])
})

test('what is still held at a stop is given up and booked', async () => {
  const { supervisor, registry, listening } = start({ items: 3 }, { keep: true })
  await listening
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 3, sent: 0, held: 3 }])
  await supervisor.stop(1000)
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 3, failed: { stopping: 3 }, held: 0 }])
})

test('a start that fails says which component and why', async () => {
  const { listening } = start({ refuse_start: true })
  await expect(listening).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: 'receiver source: there is no such place',
  })
})

test('several lanes each have every pipeline, and their books are summed', async () => {
  const { supervisor, registry, listening } = start({ items: 5 }, {}, { lanes: 3 })
  await listening
  await supervisor.complete()
  expect([...supervisor.threads.keys()]).toEqual([0, 1, 2])
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 15, sent: 15, held: 0 }])
  await supervisor.stop(1000)
})

test('a lane that throws is replaced in its slot, the others go on, and its books stay', async () => {
  const lost: LostLane[] = []
  const { supervisor, registry, listening } = start(
    { items: 4, crash_lane: 1 },
    {},
    { lanes: 2, restartsPerMinute: 1, onLost: (one) => lost.push(one) },
  )
  await listening
  const neighbour = supervisor.threads.get(0)
  // Its first life, and the second.
  await vi.waitFor(() => expect(lost).toHaveLength(2), 5000)
  expect(lost.map(({ lane, replaced }) => ({ lane, replaced }))).toEqual([
    { lane: 1, replaced: true },
    { lane: 1, replaced: false },
  ])
  expect(lost[0]?.reason.message).toBe('the thread lane-2 ended: lost my mind')
  expect(supervisor.threads.get(0)).toBe(neighbour)
  await expect(supervisor.ended).rejects.toMatchObject({
    code: 'LANE_LOST',
    message:
      'the thread lane-2 ended: lost my mind; it is the one too many within a minute: service.lane_restarts_per_minute is 1',
  })
  // Four items of the neighbour and of each life.
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 12, sent: 12, held: 0 }])
})

test('is not ready with a first lane that was lost before it was warm', async () => {
  const lost: LostLane[] = []
  const { supervisor, listening } = start(
    { crash_lane: 0 },
    {},
    { restartsPerMinute: 1, onLost: (one) => lost.push(one) },
  )
  await listening
  await supervisor.ready()
  // The one that is replaced, and the one too many.
  expect(lost).toHaveLength(2)
})

test('a lane that still loads its modules at a stop does not start', async () => {
  const { supervisor, registry, listening } = start({ items: 7 }, { stuck: true }, { lanes: 2 })
  await listening
  // Takes two seconds longer than it may, in which the second lane has loaded.
  await supervisor.stop(0)
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 7, failed: { lane_lost: 7 }, held: 0 }])
})

test('a lane whose thread is ended from outside is replaced', async () => {
  const lost: LostLane[] = []
  const { supervisor, registry, listening } = start(
    { items: 3 },
    { keep: true },
    { lanes: 2, onLost: (one) => lost.push(one) },
  )
  await listening
  await supervisor.complete()
  const before = supervisor.threads.get(1)!
  await before.terminate()
  await vi.waitFor(() => expect(lost).toMatchObject([{ lane: 1, replaced: true, items: { traces: 3 } }]), 5000)
  await supervisor.complete()
  // The neighbour and the new one hold three each.
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 9, failed: { lane_lost: 3 }, held: 6 }])
  expect(supervisor.threads.get(1)).toBeDefined()
  expect(supervisor.threads.get(1)).not.toBe(before)
})

test('lanes that die in the midst of their work leave books that close exactly', async () => {
  const lost: LostLane[] = []
  const { supervisor, registry, listening } = start(
    { items: 7, busy: true },
    { slow: true },
    { lanes: 3, restartsPerMinute: 1000, onLost: (one) => lost.push(one) },
  )
  await listening
  for (let round = 0; round < 4; round++) {
    await supervisor.complete()
    // Each lane once and again, later in every round.
    await setTimeout(20 + round)
    await supervisor.threads.get(round % 3)!.terminate()
    await vi.waitFor(() => expect(lost).toHaveLength(round + 1), 5000)
  }
  await supervisor.complete()
  await supervisor.stop(5000)
  const items = lost.reduce((sum, one) => sum + (one.items.traces ?? 0), 0)
  const [row] = ledgerRows(registry.read())
  expect(row!.held).toBe(0)
  expect(row!.accepted).toBe(row!.sent + total(row!.failed))
  expect(row!.failed.lane_lost).toBe(items)
  // Each held a hundred batches, or a few less where it was lost as it began.
  expect(items).toBeGreaterThan(4 * 50 * 7)
  expect(row!.sent).toBeGreaterThan(0)
})

test('a lane that throws once it has stopped harms nobody', async () => {
  const { supervisor, registry, listening } = start({ items: 3 }, { throw_late: true }, { lanes: 2 })
  await listening
  await supervisor.complete()
  const worker = supervisor.threads.get(1)!
  const exit = once(worker, 'exit')
  await supervisor.retire(1, 1000)
  await exit
  expect([...supervisor.threads.keys()]).toEqual([0])
  await supervisor.stop(1000)
  expect(ledgerRows(registry.read())).toMatchObject([{ accepted: 6, sent: 6, failed: {}, held: 0 }])
})

test('a lane whose heap runs out is lost, and the others go on', async () => {
  const lost: LostLane[] = []
  const { supervisor, listening } = start(
    { items: 1, hog_lane: 1 },
    {},
    { lanes: 2, heapMb: 48, restartsPerMinute: 0, onLost: (one) => lost.push(one) },
  )
  await listening
  const neighbour = supervisor.threads.get(0)
  await vi.waitFor(() => expect(lost).toHaveLength(1), 20_000)
  expect(lost[0]?.reason.cause).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' })
  expect(supervisor.threads.get(0)).toBe(neighbour)
})

test('with no restarts allowed the first lane that is lost ends it', async () => {
  const { supervisor, listening } = start({ items: 4, crash_lane: 0 }, {}, { restartsPerMinute: 0 })
  await listening
  await expect(supervisor.ended).rejects.toMatchObject({
    code: 'LANE_LOST',
    message: 'the thread lane-1 ended: lost my mind; service.lane_restarts_per_minute is 0',
  })
})

test('a stop while lanes still load ends them', async () => {
  const { supervisor, registry, listening } = start({ items: 2 }, {}, { lanes: 4 })
  await listening
  await supervisor.stop(1000)
  await supervisor.ended
  expect(supervisor.threads.size).toBe(0)
  const [row] = ledgerRows(registry.read())
  expect(row).toMatchObject({ sent: row?.accepted, held: 0 })
})

test('what components say as they start is said by the first lane alone', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-')), 'log')
  onTestFinished(() => rmSync(dirname(path), { recursive: true }))
  const log = { level: 'info', encoding: 'json', colour: false, initialFields: {}, outputPaths: [path] } as const
  const { supervisor, listening } = start({}, {}, { lanes: 3, log })
  await listening
  await supervisor.complete()
  await supervisor.stop(1000)
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  const said = lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
  expect(said.sort()).toEqual(['starts', 'stops', 'stops', 'stops'])
})
