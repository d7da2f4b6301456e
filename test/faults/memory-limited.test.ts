// An engine whose memory limit lies below what it uses doing nothing: every refusal is retryable, says when to come again and is
// counted. What this does not show: that it takes data again later (test/memory/memory-limiter.test.ts).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { decodeStatus } from '../../src/transport/rpc-status.ts'
import { someBatches } from '../contract/support/data.ts'
import { postRaw } from '../receivers/otlp/support/raw-clients.ts'
import { endAll, eventually, type RunningSluice, startSluice } from '../support/sluice.ts'
import { jsClient } from '../transport/support/grpc-peers.ts'
import { OWN_METRICS, ownMetrics } from './support/own-metrics.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-memory-limited-'))
})
afterEach(endAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const LIMITER = '{check_interval: 50ms, limit_mib: 8}'
const BODY = someBatches('traces', 1)[0]!.chunks[0]!

async function started(name: string, text: string): Promise<RunningSluice> {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, text)
  const sluice = await startSluice(['run', file])
  await eventually('the limiter to refuse', async () =>
    (await ownMetrics(sluice))('sluice_admission_limited') === 1 ? true : undefined,
  )
  return sluice
}

/** Both protocols are refused by their headers, and counted. */
async function refuses(sluice: RunningSluice): Promise<void> {
  const client = jsClient(sluice.address('receiver otlp', 'grpc'))
  const { error } = await client.call(BODY)
  client.close()
  const status = decodeStatus(error!.metadata.get('grpc-status-details-bin')[0] as Buffer)!
  expect(status).toMatchObject({ code: 14, message: 'data refused due to high memory usage' })
  expect(status.retryAfterMs).toBeGreaterThanOrEqual(1000)
  const answer = await postRaw(sluice.address('receiver otlp', 'http'), BODY)
  expect(answer.status).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  const read = await ownMetrics(sluice)
  expect(read('sluice_receiver_refused_requests', { reason: 'memory_limited' })).toBe(2)
  expect(read('sluice_admission_reserved_bytes', { use: 'requests' })).toBe(0)
}

test('by the processor: requests by their headers, what other receivers bring by the processor', async () => {
  const sluice = await started(
    'processor',
    `
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}, http: {endpoint: 127.0.0.1:0}}}
  generator: {traces: {rate: 1000}}
processors: {memory_limiter: ${LIMITER}}
exporters: {nop: {}}
service:
  telemetry: ${OWN_METRICS}
  pipelines: {traces: {receivers: [otlp, generator], processors: [memory_limiter], exporters: [nop]}}
`,
  )
  await refuses(sluice)
  const refused = await eventually('the generator to be refused', async () => {
    const read = await ownMetrics(sluice)
    return read('otelcol_processor_memory_limiter_refused_spans', { processor: 'memory_limiter' }) || undefined
  })
  expect(refused).toBeGreaterThan(0)
  expect((await ownMetrics(sluice))('sluice_component_healthy', { component: 'processor memory_limiter' })).toBe(0)
  expect(await sluice.stop()).toBe(0)
  const { ledger } = JSON.parse(/^\{.*"msg":"ledger"\}$/m.exec(sluice.output())![0]) as {
    ledger: { accepted: number; sent: number; failed: Record<string, number>; held: number }[]
  }
  const { accepted, sent, failed, held } = ledger[0]!
  expect(held).toBe(0)
  expect(sent + failed['memory_limited']!).toBe(accepted)
  expect(sluice.output()).toContain('Memory usage is above soft limit. Refusing data.')
})

test('by the extension: requests by their headers', async () => {
  const sluice = await started(
    'extension',
    `
extensions: {memory_limiter: ${LIMITER}}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:0, middlewares: [{id: memory_limiter}]}
      http: {endpoint: 127.0.0.1:0, middlewares: [{id: memory_limiter}]}
exporters: {nop: {}}
service:
  extensions: [memory_limiter]
  telemetry: ${OWN_METRICS}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
`,
  )
  await refuses(sluice)
  expect(await sluice.stop()).toBe(0)
})
