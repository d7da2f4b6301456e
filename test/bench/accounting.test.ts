/** Clients and sink against engines made up for the purpose. Proves the book-keeping of the benches, and nothing about Sluice. */
import { createServer, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Driver } from '../../bench/load/driver.ts'
import type { Load, Totals } from '../../bench/load/protocol.ts'
import { Sink } from '../../bench/load/sink.ts'
import { deliveredIn, lost, unaccounted } from '../../bench/measure/run.ts'

const ITEMS = 10
const LOAD: Load = { signal: 'traces', protocol: 'http', items: ITEMS, itemBytes: 400, connections: 2, inFlight: 1 }

const servers: Server[] = []
const sinks: Sink[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
  for (const sink of sinks.splice(0)) sink.close()
})

/** Takes the n-th request as `of` says: passes it on, loses it, or refuses it. */
async function engine(sinkPort: number, of: (n: number) => 'pass' | 'lose' | 'refuse'): Promise<number> {
  let n = 0
  const server = createServer((incoming, response) => {
    const fate = of(n++)
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      if (fate === 'refuse') response.writeHead(503, { 'retry-after': '1' }).end()
      else if (fate === 'lose') response.writeHead(200).end()
      else {
        const onward = send({ port: sinkPort, path: incoming.url, method: 'POST' }, (answer) => {
          answer.resume().on('end', () => response.writeHead(200).end())
        })
        onward.end(Buffer.concat(chunks))
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function run(load: Load, of: (n: number) => 'pass' | 'lose' | 'refuse'): Promise<Totals> {
  const sink = new Sink({ protocol: 'http' })
  sinks.push(sink)
  const driver = new Driver(await engine(await sink.listen(), of), load, sink)
  driver.start()
  await expect.poll(() => driver.answered).toBeGreaterThan(10)
  return driver.drain(100)
}

test('an engine that passes everything on has nothing to answer for', async () => {
  const totals = await run(LOAD, () => 'pass')
  expect(totals.sent).toBeGreaterThan(0)
  expect(totals).toEqual({
    sent: totals.sent,
    acknowledged: totals.sent,
    delivered: totals.sent,
    refused: 0,
    refusedWithDelay: 0,
    timedOut: 0,
    missing: 0,
    failures: [],
  })
  expect(unaccounted('sluice', 'exact', 1, totals)).toEqual([])
})

test('what was acknowledged and did not arrive is counted by items and by request', async () => {
  const totals = await run(LOAD, (n) => (n === 3 || n === 5 ? 'lose' : 'pass'))
  expect(totals.acknowledged - totals.delivered).toBe(2 * ITEMS)
  expect(totals.missing).toBe(2)
  expect(lost(totals)).toBe(2 * ITEMS)
  expect(unaccounted('sluice', 'kept', 1, totals)).toEqual([
    `sluice: acknowledged ${totals.acknowledged}, delivered ${totals.delivered}`,
    'sluice: 2 requests were acknowledged and did not arrive',
  ])
})

test('a refusal may be retried and loses nothing, but is no success', async () => {
  const totals = await run({ ...LOAD, pauseMs: 1 }, (n) => (n % 2 === 0 ? 'refuse' : 'pass'))
  expect(totals.refused).toBeGreaterThan(0)
  expect(totals.refusedWithDelay).toBe(totals.refused)
  expect(totals.sent - totals.acknowledged).toBe(totals.refused * ITEMS)
  expect(unaccounted('sluice', 'kept', 1, totals)).toEqual([])
  expect(unaccounted('sluice', 'exact', 1, totals)).toEqual([
    `sluice: sent ${totals.sent}, acknowledged ${totals.acknowledged}, delivered ${totals.delivered}`,
  ])
})

test('a compressed request is known again without its numbers', async () => {
  for (const compression of ['gzip', 'zstd'] as const) {
    const totals = await run({ ...LOAD, compression }, () => 'pass')
    expect(totals.delivered).toBe(totals.sent)
    expect(totals.missing).toBeUndefined()
  }
})

/** No engine: the clients talk to the sink. */
async function direct(load: Load, itemsPerSecond?: number): Promise<{ totals: Totals; items: number; driver: Driver }> {
  const sink = new Sink({ protocol: load.protocol, ...(itemsPerSecond !== undefined && { itemsPerSecond }) })
  sinks.push(sink)
  const port = await sink.listen()
  sink.limit()
  const driver = new Driver(port, load, sink)
  driver.start()
  await sleep(300)
  const items = sink.items
  return { totals: await driver.drain(100), items, driver }
}

test.each(['traces', 'logs', 'metrics'] as const)('every item of %s arrives over gRPC', async (signal) => {
  const { totals } = await direct({ ...LOAD, protocol: 'grpc', signal, inFlight: 4 })
  expect(totals.sent).toBeGreaterThan(0)
  expect([totals.acknowledged, totals.delivered, totals.failures]).toEqual([totals.sent, totals.sent, []])
})

test('requests that share a body have numbers of their own', async () => {
  // 64 slots of 5 MB would be 320 MB.
  const { totals } = await direct({ ...LOAD, protocol: 'grpc', itemBytes: 500_000, connections: 4, inFlight: 16 })
  expect([totals.acknowledged, totals.delivered, totals.missing]).toEqual([totals.sent, totals.sent, 0])
})

test('a limited sink takes no more than its limit', async () => {
  const { totals, items } = await direct({ ...LOAD, protocol: 'grpc', inFlight: 8 }, 1000)
  // 300 ms and what it makes up for at the start, 50 ms; a late timer only lowers it.
  expect(items).toBeLessThanOrEqual(1000 * (0.35 + 0.1))
  expect(items).toBeGreaterThan(0)
  expect(totals.delivered).toBe(totals.acknowledged)
})

test('a request that takes too long is given up', async () => {
  const { totals } = await direct({ ...LOAD, protocol: 'grpc', timeoutMs: 1, inFlight: 1, pauseMs: 1 }, 1)
  expect(totals.timedOut).toBeGreaterThan(0)
  expect(totals.failures).toEqual([])
})

test('nothing in a window is a broken run; in the moment of a smoke, nothing at all is', async () => {
  const totals = await run(LOAD, () => 'pass')
  expect(deliveredIn({ items: 0, ms: 4000 }, totals)).toBe(0)
  expect(deliveredIn({ items: 0, ms: 500 }, totals)).toBe(totals.delivered)
  expect(unaccounted('otelcol', 'kept', 0, totals)).toEqual(['otelcol: nothing was delivered in the window'])
  // Who acknowledges first and delivers later has a figure, not a broken run.
  expect(unaccounted('rotel', 'kept', 0, totals)).toEqual([])
})
