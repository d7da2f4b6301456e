// Twice as much as fits while the backend stands still: what does not fit is refused, retryable and with a delay, and what was
// acknowledged arrives. What this does not show: what the Collector does then (it takes it all).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { decodeStatus } from '../../src/transport/rpc-status.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { type JsClient, jsClient } from '../transport/support/grpc-peers.ts'
import { OWN_METRICS, ownMetrics } from './support/own-metrics.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-overload-'))
})
afterEach(endAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const KIB = 1024
const MIB = 1024 * KIB
/** Of 16 MiB three quarters are for requests. */
const REQUESTS_LIMIT = 12 * MIB
const CALL = 4 * KIB
const SPANS = 3

/** A request of a little more than a MiB, with `number` in its trace id. */
function request(number: number): Uint8Array {
  const traceId = new Uint8Array(16).fill(1)
  traceId[0] = number
  const attributes = [{ key: 'payload', value: { stringValue: 'x'.repeat(MIB) } }]
  const span = { traceId, spanId: new Uint8Array(8).fill(1), name: 'work' }
  return writeProtobufjs('traces', {
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: Array(SPANS).fill(span) }] }],
  })
}

function numbersAt(backend: Backend): number[] {
  const found = new Set<number>()
  for (const { request } of backend.received) {
    for (const { scopeSpans } of request['resourceSpans'] as { scopeSpans: { spans: { traceId: Uint8Array }[] }[] }[]) {
      for (const { spans } of scopeSpans) for (const { traceId } of spans) found.add(traceId[0]!)
    }
  }
  return [...found].sort((a, b) => a - b)
}

type Told = Awaited<ReturnType<JsClient['call']>>['error']

/** A connection that a lane with too many asks to go takes with it what has just been sent, unread: that is sent again at once. */
async function tell(client: JsClient, request: Uint8Array): Promise<Told> {
  for (;;) {
    const { error } = await client.call(request)
    if (error?.details !== 'Stream refused by server') return error
  }
}

test('all that was acknowledged arrives, and the books close', async () => {
  const gate = Promise.withResolvers<void>()
  const backend = await startBackend(gate.promise)
  const file = join(folder, 'overload.yaml')
  writeFileSync(
    file,
    `
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
exporters: {otlp_grpc: {endpoint: ${backend.grpc}, compression: none, timeout: 30s, tls: {insecure: true}}}
service:
  lanes: 2
  admission: {limit_mib: 16}
  telemetry: ${OWN_METRICS}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}
`,
  )
  const sluice = await startSluice(['run', file])
  const address = sluice.address('receiver otlp', 'grpc')
  const requests = Array.from({ length: 24 }, (_, number) => request(number))
  const fit = Math.floor(REQUESTS_LIMIT / (Math.ceil((requests[0]!.length + CALL) / KIB) * KIB))
  expect(fit).toBe(11)
  const clients: JsClient[] = requests.map(() =>
    jsClient(address, { channel: { 'grpc.use_local_subchannel_pool': 1 } }),
  )

  const delays = await Promise.all(
    clients.map(async (client, i) => {
      const error = await tell(client, requests[i]!)
      if (error === undefined) return undefined
      expect(error.code).toBe(14)
      return decodeStatus(error.metadata.get('grpc-status-details-bin')[0] as Buffer)!.retryAfterMs!
    }),
  )
  const refused = delays.filter((ms) => ms !== undefined)
  expect(refused).toHaveLength(24 - fit)
  for (const ms of refused) expect(ms >= 1000 && ms <= 2000).toBe(true)
  // So that they do not come back all at once.
  expect(new Set(refused).size).toBe(refused.length)
  const during = await ownMetrics(sluice)
  expect(during('sluice_receiver_refused_requests', { reason: 'no_room' })).toBe(24 - fit)
  expect(during('sluice_admission_peak_bytes')).toBeLessThanOrEqual(REQUESTS_LIMIT)
  expect(during('otelcol_receiver_accepted_spans')).toBe(fit * SPANS)

  gate.resolve()
  await Promise.all(
    clients.map(async (client, i) => {
      for (let delay = delays[i]; delay !== undefined; ) {
        await new Promise((resolve) => setTimeout(resolve, delay))
        const error = await tell(client, requests[i]!)
        delay = error && decodeStatus(error.metadata.get('grpc-status-details-bin')[0] as Buffer)!.retryAfterMs
      }
      client.close()
    }),
  )
  await eventually('everything to arrive', () => (numbersAt(backend).length === 24 ? true : undefined))
  await eventually('the budget to be free', async () =>
    (await ownMetrics(sluice))('sluice_admission_reserved_bytes') === 0 ? true : undefined,
  )
  expect(await sluice.stop()).toBe(0)
  const { ledger } = JSON.parse(/^\{.*"msg":"ledger"\}$/m.exec(sluice.output())![0]) as { ledger: object[] }
  expect(ledger).toMatchObject([{ accepted: 24 * SPANS, sent: 24 * SPANS, failed: {}, held: 0 }])
  await backend.stop()
}, 60_000)
