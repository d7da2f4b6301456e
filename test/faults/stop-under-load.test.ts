// Stops while data is on its way. What this does not prove: what a crash loses (nothing here is killed but by a second
// signal), and that a client sends again what was refused (the peers' own tests do).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { endAll, eventually, type RunningSluice, runSluice, startSluice } from '../support/sluice.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
})
afterEach(endAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let serial = 0

function configOf(exporter: string, { processors = '[]', shutdown = '30s' } = {}): string {
  const file = join(folder, `${serial++}.yaml`)
  writeFileSync(
    file,
    `
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
processors: {batch: {timeout: 50ms}}
exporters:
  otlp_grpc: ${exporter}
service:
  shutdown_timeout: ${shutdown}
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], processors: ${processors}, exporters: [otlp_grpc]}}
`,
  )
  return file
}

/** Three spans whose trace ids carry `number`. */
function request(number: number): Uint8Array {
  const traceId = new Uint8Array(16)
  new DataView(traceId.buffer).setUint32(0, number)
  const span = { traceId, spanId: new Uint8Array(8).fill(1), name: 'work' }
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span, span, span] }] }] })
}

function numbersAt(backend: Backend): Set<number> {
  const numbers = new Set<number>()
  for (const { request } of backend.received) {
    const text = JSON.stringify(request, (_, value: unknown) =>
      value instanceof Uint8Array ? [...value] : typeof value === 'bigint' ? String(value) : value,
    )
    for (const [, ...bytes] of text.matchAll(/"traceId":\[(\d+),(\d+),(\d+),(\d+)/g)) {
      numbers.add(new DataView(new Uint8Array(bytes.map(Number)).buffer).getUint32(0))
    }
  }
  return numbers
}

interface Books {
  readonly accepted: number
  readonly sent: number
  readonly failed: Readonly<Record<string, number>>
  readonly held: number
}

/** The ledger that the stop printed. */
function booksOf(sluice: RunningSluice): Books {
  const line = /^\{.*"msg":"ledger"\}$/m.exec(sluice.output())
  expect(line, sluice.output()).not.toBeNull()
  return (JSON.parse(line![0]) as { ledger: Books[] }).ledger[0]!
}

test.each([
  ['straight through', '[]', 'false'],
  ['through a batch processor', '[batch]', 'false'],
  ['into a queue', '[]', 'true'],
  ['through a batch processor into a queue', '[batch]', 'true'],
])('%s: what was acknowledged has arrived, and the books close', async (_, processors, queue) => {
  const backend = await startBackend()
  const exporter = `{endpoint: ${backend.grpc}, tls: {insecure: true}, sending_queue: {enabled: ${queue}}}`
  const sluice = await startSluice(['run', configOf(exporter, { processors })])
  const address = sluice.address('receiver otlp', 'grpc')

  const acknowledged = new Set<number>()
  let going = true
  let next = 0
  const clients = Array.from({ length: 4 }, async () => {
    while (going) {
      const number = next++
      try {
        await exportGrpc(address, 'traces', request(number))
        acknowledged.add(number)
      } catch {
        going = false
      }
    }
  })
  await eventually('some load', () => (acknowledged.size > 50 ? true : undefined))
  expect(await sluice.stop()).toBe(0)
  await Promise.all(clients)

  const arrived = numbersAt(backend)
  expect([...acknowledged].filter((number) => !arrived.has(number))).toEqual([])
  const books = booksOf(sluice)
  expect(books).toMatchObject({ failed: {}, held: 0 })
  expect(books.sent).toBe(books.accepted)
  expect(books.sent).toBe(3 * arrived.size)
  await backend.stop()
})

test('a dead backend: the stop says by number what was not delivered', async () => {
  const sluice = await startSluice(['run', configOf('{endpoint: 127.0.0.1:1, tls: {insecure: true}}')])
  const address = sluice.address('receiver otlp', 'grpc')
  for (let number = 0; number < 5; number++) await exportGrpc(address, 'traces', request(number))
  expect(await sluice.stop()).toBe(0)
  expect(booksOf(sluice)).toMatchObject({ accepted: 15, sent: 0, failed: { stopping: 15 }, held: 0 })
  expect(sluice.output()).toContain('15 items were held, 0 delivered while stopping, 15 failed, 0 unaccounted for')
  expect(sluice.output()).toContain('EXPORT_UNREACHABLE')
})

/** A peer that takes connections and never says anything. */
async function silentPeer(): Promise<{ readonly address: string; close(): void }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => void sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    address: `127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a peer that never answers: the deadline ends the wait, and what was held is booked', async () => {
  const peer = await silentPeer()
  const exporter = `{endpoint: ${peer.address}, tls: {insecure: true}, timeout: 60s}`
  const sluice = await startSluice(['run', configOf(exporter, { shutdown: '500ms' })])
  await exportGrpc(sluice.address('receiver otlp', 'grpc'), 'traces', request(1))
  const began = performance.now()
  expect(await sluice.stop()).toBe(0)
  expect(performance.now() - began).toBeGreaterThan(450)
  expect(booksOf(sluice)).toMatchObject({ accepted: 3, sent: 0, failed: { stopping: 3 }, held: 0 })
  peer.close()
})

test('a second signal ends at once', async () => {
  const peer = await silentPeer()
  const exporter = `{endpoint: ${peer.address}, tls: {insecure: true}, timeout: 60s}`
  const sluice = await startSluice(['run', configOf(exporter, { shutdown: '60s' })])
  await exportGrpc(sluice.address('receiver otlp', 'grpc'), 'traces', request(1))
  void sluice.stop()
  await eventually('the stop to begin', () => (sluice.output().includes('stopping: draining') ? true : undefined))
  // The same signal twice at once, as npm passes on what its group has got already, is one.
  void sluice.stop()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(sluice.output()).not.toContain('ended at once')
  expect(await sluice.stop()).toBe(1)
  expect(sluice.output()).toContain('ended at once by a second signal')
  peer.close()
})

test('a port that is taken: nothing starts, and the message says who asked and what to do', async () => {
  const taken = await silentPeer()
  const file = configOf('{endpoint: 127.0.0.1:1, tls: {insecure: true}}')
  const set = `receivers.otlp.protocols.grpc.endpoint=${taken.address}`
  const { code, stderr } = await runSluice(['run', file, '--set', set])
  expect(code).toBe(1)
  expect((JSON.parse(stderr.trim().split('\n').at(-1)!) as { msg: string }).msg).toBe(
    `receiver otlp: protocols.grpc.endpoint: cannot listen on ${taken.address}, another program has it; stop that program, or set another endpoint  (LISTEN_ADDRESS_IN_USE)`,
  )
  taken.close()
})
