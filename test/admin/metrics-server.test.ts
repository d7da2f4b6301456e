import { expect, onTestFinished, test } from 'vitest'
import { MetricsServer } from '../../src/admin/metrics-server.ts'
import { processReadings } from '../../src/admin/process-readings.ts'
import { PipelineLedger, withHeld } from '../../src/telemetry/ledger.ts'
import { MeterRegistry } from '../../src/telemetry/registry.ts'
import { SharedMeter } from '../../src/telemetry/shared-meter.ts'

async function serve(registry: MeterRegistry): Promise<{ readonly server: MetricsServer; readonly url: string }> {
  const server = new MetricsServer(() => withHeld(registry.read()), { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.stop())
  return { server, url: `http://${await server.start()}` }
}

test('a scrape reads the ledger as it stands, and the process', async () => {
  const registry = new MeterRegistry()
  registry.observe(processReadings)
  const memory = SharedMeter.memory()
  const ledger = new PipelineLedger(new SharedMeter(memory, registry.attach(memory)), 'traces')
  const { url } = await serve(registry)

  ledger.accepted(5)
  ledger.sent(3)
  const response = await fetch(`${url}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  expect(text).toContain('\nsluice_ledger_accepted_items{pipeline="traces"} 5\n')
  expect(text).toContain('\nsluice_ledger_held_items{pipeline="traces"} 2\n')
  expect(text).toMatch(/^otelcol_process_memory_rss [1-9]\d+$/m)
})

test('other paths and methods are told what there is', async () => {
  const { url } = await serve(new MeterRegistry())
  expect((await fetch(`${url}/`)).status).toBe(404)
  const posted = await fetch(`${url}/metrics`, { method: 'POST' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('a port that is taken is named with the section that asked for it', async () => {
  const { url } = await serve(new MeterRegistry())
  const port = Number(new URL(url).port)
  await expect(new MetricsServer(() => [], { host: '127.0.0.1', port }).start()).rejects.toMatchObject({
    code: 'LISTEN_ADDRESS_IN_USE',
    message: expect.stringContaining(`service.telemetry.metrics.readers: cannot listen on 127.0.0.1:${port}`),
  })
})
