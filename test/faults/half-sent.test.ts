// Two hundred connections that each announce a large message and send half of it: the budget takes as many as fit, the rest
// is refused at once, others are served, and what stands still is given up. What this does not show: what the kernel
// keeps for sockets, which no engine sees.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { someBatches } from '../contract/support/data.ts'
import { postRaw } from '../receivers/otlp/support/raw-clients.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { type HalfSender, halfGrpc, halfHttp } from './support/half-senders.ts'
import { OWN_METRICS, ownMetrics } from './support/own-metrics.ts'

const KIB = 1024
const MIB = 1024 * KIB
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-half-sent-'))
})
const senders: HalfSender[] = []
afterEach(() => {
  for (const sender of senders.splice(0)) sender.close()
  endAll()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CONNECTIONS = 200
/** gRPC's usual limit of a message. */
const MESSAGE = 4 * MIB
/** Of 96 MiB three quarters are for requests. */
const REQUESTS_LIMIT = 72 * MIB
/** What a request books besides its message. */
const CALL = 4 * KIB
const FIT = Math.floor(REQUESTS_LIMIT / (MESSAGE + CALL))
/** An arena is up to a quarter larger than what was asked for. */
const ARENA = 1.25
/** Arenas that lie unused; read buffers and young objects that no collection has seen yet. */
const IDLE_ARENAS = 32 * MIB
const GARBAGE = 48 * MIB

test('the others are served, memory stays in the budget, and the slow ones time out', async () => {
  const file = join(folder, 'half-sent.yaml')
  writeFileSync(
    file,
    `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:0, read_timeout: 8s}
      http: {endpoint: 127.0.0.1:0, read_timeout: 8s}
processors: {memory_limiter: {check_interval: 50ms, limit_mib: 4096}}
exporters: {nop: {}}
service:
  admission: {limit_mib: 96}
  telemetry: ${OWN_METRICS}
  pipelines: {traces: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}}
`,
  )
  const sluice = await startSluice(['run', file])
  const grpc = sluice.address('receiver otlp', 'grpc')
  const http = sluice.address('receiver otlp', 'http')
  const batches = someBatches('traces', 10)
  const bodies = batches.map(({ chunks }) => chunks[0]!)
  const items = batches.reduce((sum, batch) => sum + batch.items, 0)
  const served = async (): Promise<void> => {
    for (const [i, body] of bodies.entries()) {
      if (i % 2 === 0) await exportGrpc(grpc, 'traces', body)
      else expect((await postRaw(http, body)).status).toBe(200)
    }
  }
  const reserved = async (): Promise<number> =>
    (await ownMetrics(sluice))('sluice_admission_reserved_bytes', { use: 'requests' })
  await served()
  await eventually('nothing booked at rest', async () => ((await reserved()) === 0 ? true : undefined))
  const before = (await ownMetrics(sluice))('sluice_memory_limiter_used_bytes')
  expect(before).toBeGreaterThan(MIB)

  for (let i = 0; i < CONNECTIONS; i++) senders.push(i % 2 === 0 ? halfGrpc(grpc, MESSAGE) : halfHttp(http, MESSAGE))
  const answers = (): number => senders.filter((sender) => sender.answer() !== undefined).length
  await eventually('all that do not fit to be refused', () => (answers() >= CONNECTIONS - FIT ? true : undefined), 20)

  // All or nothing: those that fit have their whole message booked, the others nothing.
  const during = await ownMetrics(sluice)
  expect(answers()).toBe(CONNECTIONS - FIT)
  expect(during('sluice_admission_reserved_bytes', { use: 'requests' })).toBe(FIT * (MESSAGE + CALL))
  expect(during('sluice_admission_reserved_bytes', { use: 'connections' })).toBeLessThanOrEqual(24 * MIB)
  expect(during('sluice_receiver_refused_requests', { reason: 'no_room' })).toBe(CONNECTIONS - FIT)
  for (const sender of senders) {
    const answer = sender.answer()
    if (answer === undefined) continue
    expect([14, 503]).toContain(answer.status)
    expect(answer.retryAfterMs).toBeGreaterThanOrEqual(1000)
    expect(answer.retryAfterMs).toBeLessThanOrEqual(2000)
  }
  await served()
  const used = (await ownMetrics(sluice))('sluice_memory_limiter_used_bytes')
  expect(used - before).toBeLessThan(FIT * MESSAGE * ARENA + IDLE_ARENAS + GARBAGE)
  // Nobody took what had come: that would be more.
  expect((CONNECTIONS * MESSAGE) / 2).toBeGreaterThan(1.5 * (FIT * MESSAGE * ARENA + IDLE_ARENAS + GARBAGE))

  await eventually('the slow ones to be given up', () => (answers() === CONNECTIONS ? true : undefined), 20)
  expect(await reserved()).toBe(0)
  const after = await ownMetrics(sluice)
  expect(after('sluice_admission_peak_bytes')).toBeLessThanOrEqual(REQUESTS_LIMIT)
  expect(after('sluice_receiver_refused_requests', { reason: 'too_slow' })).toBe(FIT)
  await served()
  for (const sender of senders) sender.close()
  await eventually('connections to be given back', async () => {
    const read = await ownMetrics(sluice)
    return read('sluice_admission_reserved_bytes') === 0 ? true : undefined
  })
  expect(await sluice.stop()).toBe(0)
  const { ledger } = JSON.parse(/^\{.*"msg":"ledger"\}$/m.exec(sluice.output())![0]) as { ledger: object[] }
  expect(ledger).toMatchObject([{ accepted: 3 * items, sent: 3 * items, failed: {}, held: 0 }])
}, 60_000)
