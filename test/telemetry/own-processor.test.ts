import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { encodeLogs } from '../../src/telemetry/otlp-logs.ts'
import { OwnProcessor } from '../../src/telemetry/own-processor.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'
import { eventually } from '../support/sluice.ts'

interface Rig {
  readonly clock: FakeClock
  readonly backend: Backend
  readonly processor: OwnProcessor<string>
  readonly counts: { dropped: number; failures: string[] }
}

async function rig(config: (endpoint: string) => object): Promise<Rig> {
  const backend = await startBackend()
  const clock = new FakeClock()
  const counts = { dropped: 0, failures: [] as string[] }
  const { processors } = ownTelemetry({ logs: { processors: [config(backend.http)] } }).logs
  const processor = new OwnProcessor<string>({
    config: processors[0]!,
    clock,
    signal: 'logs',
    encode: (lines) => encodeLogs(lines, { attributes: {}, schemaUrl: '' }, '1', clock.now()),
    dropped: (items) => {
      counts.dropped += items
    },
    failed: (reason) => void counts.failures.push(reason),
  })
  onTestFinished(async () => {
    await processor.stop(0)
    await backend.stop()
  })
  return { clock, backend, processor, counts }
}

const line = (n: number): string => JSON.stringify({ level: 'info', msg: `m${n}` })

function received({ backend }: Rig): string[][] {
  return backend.received.map(({ request }) =>
    [...JSON.stringify(request, (_, v: unknown) => (typeof v === 'bigint' ? 0 : v)).matchAll(/"m\d+"/g)].map(
      ([m]) => m,
    ),
  )
}

const batch = (more: object) => (endpoint: string) => ({
  batch: { schedule_delay: 1000, exporter: { otlp: { endpoint } }, ...more },
})

test('what is gathered leaves after the delay, or as soon as it is a batch; nothing waits for ever', async () => {
  const it = await rig(batch({ max_export_batch_size: 3 }))
  await it.processor.start()
  it.processor.add(line(1))
  await it.clock.advance(999)
  expect(received(it)).toEqual([])
  await it.clock.advance(1)
  await eventually('the first', () => received(it)[0])
  for (const n of [2, 3, 4]) it.processor.add(line(n))
  await eventually('the second', () => received(it)[1])
  expect(received(it)).toEqual([['"m1"'], ['"m2"', '"m3"', '"m4"']])
  it.processor.add(line(5))
  await it.processor.stop(1000)
  expect(received(it)[2]).toEqual(['"m5"'])
  expect(it.clock.timers).toBe(0)
})

test('the queue is bounded: what comes before there is room is dropped and counted', async () => {
  const it = await rig(batch({ max_queue_size: 2, max_export_batch_size: 2 }))
  // Not started yet: nothing leaves.
  for (const n of [1, 2, 3, 4, 5]) it.processor.add(line(n))
  expect(it.counts.dropped).toBe(3)
  await it.processor.start()
  await eventually('the two', () => received(it)[0])
  expect(received(it)).toEqual([['"m1"', '"m2"']])
  await it.processor.stop(1000)
  it.processor.add(line(6))
  expect(it.counts.dropped).toBe(4)
})

test('an export that is refused loses its items, by number', async () => {
  const it = await rig((endpoint) => ({ simple: { exporter: { otlp: { endpoint: `${endpoint}/none` } } } }))
  await it.processor.start()
  it.processor.add(line(1))
  await it.clock.advance(0)
  await eventually('the failure', () => it.counts.failures[0])
  expect(it.counts).toEqual({ dropped: 1, failures: ['HTTP 404'] })
})

test('an export that is not over after export_timeout is given up', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => silent.closeAllConnections())
  onTestFinished(() => void silent.close())
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const it = await rig(() => ({ batch: { export_timeout: 50, schedule_delay: 1, exporter: { otlp: { endpoint } } } }))
  await it.processor.start()
  it.processor.add(line(1))
  await it.clock.advance(1)
  await eventually('the failure', () => it.counts.failures[0])
  expect(it.counts).toEqual({ dropped: 1, failures: ['no answer within 0.1 s'] })
})

test('a stop takes no longer than it is given, whatever an export under way has', async () => {
  const it = await rig(() => ({
    batch: { export_timeout: 0, schedule_delay: 1, exporter: { otlp: { endpoint: 'http://127.0.0.1:1' } } },
  }))
  await it.processor.start()
  it.processor.add(line(1))
  await it.clock.advance(1)
  // It waits for its next attempt, and would for ever.
  await eventually('the pause', () => (it.clock.next === 1000 ? true : undefined))
  it.processor.add(line(2))
  const stopped = it.processor.stop(500)
  await it.clock.advance(500)
  await stopped
  await eventually('both are dropped', () => (it.counts.dropped === 2 ? true : undefined))
  expect(it.clock.timers).toBe(0)
})
