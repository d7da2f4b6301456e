// A lane that dies at any moment leaves exact books. What this does not show: that the supervisor closes them (supervisor.test.ts).
import { setTimeout } from 'node:timers/promises'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { closeBooks } from '../../src/lanes/ended-lane.ts'
import { SharedBoard } from '../../src/memory/shared-board.ts'
import { ThreadMemory } from '../../src/memory/thread-memory.ts'
import { ledgerRows, total } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { type SeriesDescriptor, SharedMeter } from '../../src/telemetry/shared-meter.ts'
import { Admission } from '../../src/transport/admission.ts'

test('its items have one end each, its bookings are free, its gauges are gone', async () => {
  const registry = new MeterRegistry()
  const own = SharedMeter.memory()
  const books = {
    registry,
    meter: new SharedMeter(own, registry.attach(own)),
    admission: Admission.memory(1 << 26),
    memory: ThreadMemory.memory(),
    board: SharedBoard.memory(),
  }
  const budget = new Admission(books.admission)
  const published = new Float64Array(books.memory)
  let lost = 0
  let booked = 0
  for (let round = 0; round < 10; round++) {
    const meter = SharedMeter.memory()
    const announce = registry.attach(meter)
    const { port1, port2 } = new MessageChannel()
    const { admission, memory } = books
    const lane = new Worker(new URL('./support/booking-lane.ts', import.meta.url), {
      workerData: { port: port2, thread: 1, seed: round, meter, admission, memory },
      transferList: [port2],
    })
    await new Promise<void>((resolve) => {
      port1.on('message', (message: SeriesDescriptor | 'busy') => {
        if (message === 'busy') resolve()
        else announce(message)
      })
    })
    // Later in every round, and never at the same instruction.
    await setTimeout(round)
    await lane.terminate()
    for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1)) announce(last.message)
    port1.close()

    const before = ledgerRows(registry.read())
    booked += budget.reserved
    expect(published[1]).toBeGreaterThan(0)
    const items = closeBooks(books, 1, meter, true)
    expect(items).toEqual(Object.fromEntries(before.map(({ pipeline, held }) => [pipeline, held])))
    lost += total(items)
    for (const { accepted, sent, dropped, failed, held } of ledgerRows(registry.read())) {
      expect(held).toBe(0)
      expect(sent + total(dropped) + total(failed)).toBe(accepted)
    }
    expect([budget.reserved, budget.limited, published[1]]).toEqual([0, false, 0])
    expect(registry.read().map(({ name }) => name)).not.toContain('queue')
  }
  const rows = ledgerRows(registry.read())
  expect(rows.map(({ failed }) => failed.lane_lost!).reduce((a, b) => a + b)).toBe(lost)
  // Else they died with nothing and nothing was shown.
  expect(lost).toBeGreaterThan(10 * 19)
  expect(booked).toBeGreaterThan(0)
})

test('of one that was stopped, too, others can hold what it did not let go of in time', () => {
  const registry = new MeterRegistry()
  const own = SharedMeter.memory()
  const board = SharedBoard.memory()
  const meter = new SharedMeter(own, registry.attach(own))
  new SharedBoard(board, 1).piece('file').tryHold()
  const other = new SharedBoard(board, 2).piece('file')
  expect(other.tryHold()).toBe(false)
  closeBooks(
    { registry, meter, admission: Admission.memory(1 << 26), memory: ThreadMemory.memory(), board },
    1,
    SharedMeter.memory(),
    false,
  )
  expect(other.tryHold()).toBe(true)
})
