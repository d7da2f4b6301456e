// A full queue in front of a backend that stands still: calls are refused by their headers, over both protocols, and what a client
// sends all the same is not read; the gate opens again, and nobody starves. What this does not show: what it costs (bench case `overload`).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { callRaw, postRaw } from '../receivers/otlp/support/raw-clients.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { booksOf } from '../support/books.ts'
import { endAll, eventually, type RunningSluice, startSluice } from '../support/sluice.ts'
import { halfGrpc, halfHttp } from './support/half-senders.ts'
import { OWN_METRICS, ownMetrics } from './support/own-metrics.ts'

let folder: string
const backends: Backend[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-refused-'))
})
afterEach(async () => {
  endAll()
  for (const backend of backends.splice(0)) await backend.stop()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MIB = 1 << 20

async function backend(open?: () => Promise<void>): Promise<Backend> {
  const started = await startBackend(open)
  backends.push(started)
  return started
}

let serial = 0

/** `exporters`: id, endpoint, batches that its queue holds. */
async function start(exporters: readonly (readonly [id: string, endpoint: string, size: number])[]) {
  const file = join(folder, `${serial++}.yaml`)
  const each = exporters.map(
    ([id, endpoint, size]) =>
      `  ${id}: {endpoint: ${endpoint}, compression: none, timeout: 60s, tls: {insecure: true}, sending_queue: {queue_size: ${size}, num_consumers: 1}}`,
  )
  writeFileSync(
    file,
    `
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}, http: {endpoint: 127.0.0.1:0}}}}
exporters:
${each.join('\n')}
service:
  lanes: 1
  telemetry: ${OWN_METRICS}
  pipelines: {traces: {receivers: [otlp], exporters: [${exporters.map(([id]) => id).join(', ')}]}}
`,
  )
  return startSluice(['run', file])
}

function spans(...names: string[]): Uint8Array {
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: names.map((name) => ({ name })) }] }] })
}

const grpcOf = (sluice: RunningSluice): string => sluice.address('receiver otlp', 'grpc')
const httpOf = (sluice: RunningSluice): string => sluice.address('receiver otlp', 'http')

async function sends(sluice: RunningSluice, name: string): Promise<number> {
  return (await callRaw(grpcOf(sluice), spans(name))).status?.code ?? -1
}

function namesAt(at: Backend): string[] {
  return at.received.flatMap(({ request }) =>
    (request['resourceSpans'] as { scopeSpans: { spans: { name: string }[] }[] }[]).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans: all }) => all.map(({ name }) => name)),
    ),
  )
}

test('the body is not read, both protocols say when to come again, and the gate opens when there is room', async () => {
  const gate = Promise.withResolvers<void>()
  const peer = await backend(() => gate.promise)
  const sluice = await start([['otlp_grpc', peer.grpc, 2]])
  expect([await sends(sluice, 'a'), await sends(sluice, 'b')]).toEqual([0, 0])
  const before = await ownMetrics(sluice)
  expect(before('otelcol_receiver_accepted_spans')).toBe(2)
  const peak = before('sluice_admission_peak_bytes')

  // Half of 4 MiB, so that an answer can only be one to the headers.
  const halves = [halfGrpc(grpcOf(sluice), 4 * MIB), halfHttp(httpOf(sluice), 4 * MIB)]
  await eventually('answers', () => (halves.every((half) => half.answer() !== undefined) ? true : undefined))
  expect(halves.map((half) => half.answer())).toEqual([
    { status: 14, retryAfterMs: 1000 },
    { status: 503, retryAfterMs: 1000 },
  ])
  for (const half of halves) half.close()
  const whole = await callRaw(grpcOf(sluice), spans('c'))
  expect(whole.status).toMatchObject({
    code: 14,
    message: expect.stringMatching(/^exporter otlp_grpc: the queue is full \(2 of 2 requests, 1 in flight\); /),
    retryAfterMs: 1000,
  })
  expect((await postRaw(httpOf(sluice), spans('d'))).status).toBe(503)

  const during = await ownMetrics(sluice)
  expect(during('sluice_receiver_refused_requests', { reason: 'queue_full', transport: 'grpc' })).toBe(2)
  expect(during('sluice_receiver_refused_requests', { reason: 'queue_full', transport: 'http' })).toBe(2)
  // Nobody booked room for a body: at most the 4 KiB of a call at a time.
  expect(during('sluice_admission_peak_bytes')).toBeLessThanOrEqual(peak + 2 * 4096)
  expect(during('otelcol_receiver_accepted_spans')).toBe(2)

  gate.resolve()
  for (const name of ['c', 'd']) {
    await eventually('room', async () => ((await sends(sluice, name)) === 0 ? true : undefined))
  }
  expect(await sluice.stop()).toBe(0)
  expect(namesAt(peer).toSorted()).toEqual(['a', 'b', 'c', 'd'])
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 4, sent: 4, failed: {}, held: 0 })
}, 60_000)

test('clients that announce and send nothing hold the places of others for four seconds at most', async () => {
  const peer = await backend()
  const sluice = await start([['otlp_grpc', peer.grpc, 3]])
  expect(await sends(sluice, 'a')).toBe(0)
  const mute = Array.from({ length: 3 }, () => halfGrpc(grpcOf(sluice), 4 * MIB))
  // What it says to the fourth: three are on their way to three places.
  await eventually('the places to be taken', async () => ((await sends(sluice, 'b')) === 14 ? true : undefined))
  await eventually('a place', async () => ((await sends(sluice, 'c')) === 0 ? true : undefined), 20)
  for (const half of mute) half.close()
  expect(await sluice.stop()).toBe(0)
  expect(namesAt(peer).filter((name) => name === 'c')).toEqual(['c'])
}, 60_000)

test('of two exporters one with a full queue, whose peer takes data: nothing is sent to the other, and nothing twice', async () => {
  const gate = Promise.withResolvers<void>()
  let open = Promise.resolve()
  const [slow, quick] = [await backend(() => open), await backend()]
  const sluice = await start([
    ['otlp_grpc/slow', slow.grpc, 2],
    ['otlp_grpc/quick', quick.grpc, 100],
  ])
  // It has taken something a moment ago.
  expect(await sends(sluice, 'first')).toBe(0)
  await eventually('it to arrive', () => (slow.received.length === 1 ? true : undefined))
  open = gate.promise
  expect([await sends(sluice, 'a'), await sends(sluice, 'b')]).toEqual([0, 0])
  const refused = [await sends(sluice, 'c'), await sends(sluice, 'c'), await sends(sluice, 'c')]
  expect(refused).toEqual([14, 14, 14])
  await eventually('the others', () => (quick.received.length === 3 ? true : undefined))
  gate.resolve()
  await eventually('room', async () => ((await sends(sluice, 'c')) === 0 ? true : undefined))
  expect(await sluice.stop()).toBe(0)
  expect([namesAt(slow).toSorted(), namesAt(quick).toSorted()]).toEqual([
    ['a', 'b', 'c', 'first'],
    ['a', 'b', 'c', 'first'],
  ])
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 4, sent: 4, failed: {}, held: 0 })
}, 60_000)
