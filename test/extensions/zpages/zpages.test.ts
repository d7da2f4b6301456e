import { expect, onTestFinished, test } from 'vitest'
import { Zpages } from '../../../extensions/zpages/extension.ts'
import { SAMPLE_MS } from '../../../extensions/zpages/rates.ts'
import type { Reading } from '../../../src/telemetry/registry.ts'
import { SpanBook } from '../../../src/telemetry/span-book.ts'
import { resolve } from '../../contract/support/subjects.ts'
import { deadlineIn } from '../../support/context.ts'
import { hostContext, testHost } from '../../support/host.ts'
import { ask } from '../../support/http-get.ts'

async function rig(options: object = {}) {
  const config = await resolve({
    extensions: { zpages: { endpoint: '127.0.0.1:0', ...options } },
    receivers: { nop: {} },
    exporters: { nop: {} },
    service: { extensions: ['zpages'], pipelines: { traces: { receivers: ['nop'], exporters: ['nop'] } } },
  })
  const host = testHost()
  const ctx = hostContext('zpages', host)
  const extension = new Zpages(config.extensions['zpages']!.config as never, ctx)
  onTestFinished(() => extension.stop(deadlineIn(ctx.clock, 0)))
  await extension.start()
  const get = (path: string) => ask(`http://${ctx.endpoints[0]!.address}${path}`)
  return { host, ctx, get }
}

function counter(name: string, value: number, labels: Record<string, string>): Reading {
  return { kind: 'counter', name, value, labels, description: 'What it counts.', unit: '{items}' }
}

const ledger = (which: string, value: number, more: Record<string, string> = {}): Reading =>
  counter(`sluice_ledger_${which}_items`, value, { pipeline: 'traces', ...more })

/** Cells of the row that begins with `first`. */
function row(page: string, first: string): string[] {
  const rows = page.split('<tr>').map((line) =>
    line
      .split('</td>')
      .slice(0, -1)
      .map((cell) => cell.replaceAll(/<[^>]*>/g, '').trim()),
  )
  return rows.find(([cell]) => cell === first) ?? []
}

test('pipelinez shows rates of 10 s and of a minute, and where items ended', async () => {
  const { host, ctx, get } = await rig()
  host.values = [ledger('accepted', 0), ledger('sent', 0)]
  // A minute of 100 a second; the last 10 s of it go on in twice that.
  for (let i = 1; i <= 12; i++) {
    const accepted = i <= 10 ? i * 500 : 5000 + (i - 10) * 1000
    host.values = [
      ledger('accepted', accepted),
      ledger('sent', accepted - 30),
      ledger('failed', 30, { reason: 'unreachable' }),
    ]
    await ctx.clock.advance(SAMPLE_MS)
  }
  host.values = [
    ledger('accepted', 8000),
    ledger('sent', 7960),
    ledger('failed', 30, { reason: 'unreachable' }),
    ledger('dropped', 4, { component: 'filter', reason: 'condition' }),
  ]
  await ctx.clock.advance(SAMPLE_MS - 1)
  const { text } = await get('/debug/pipelinez')
  // Short: 8000 - 6000 in one sample and the time since; long: 8000 - 500 in a minute and that time.
  const [, short, long, , accepted, sent, dropped, failed, held] = row(text, 'traces').map((cell) =>
    cell.replaceAll(',', ''),
  )
  expect([accepted, sent, dropped, failed, held]).toEqual(['8000', '7960', '4', '30', '6'])
  expect(Number(short)).toBeCloseTo((8000 - 6000) / ((2 * SAMPLE_MS - 1) / 1000), 0)
  expect(Number(long)).toBeCloseTo((8000 - 0) / ((13 * SAMPLE_MS - 1) / 1000), 0)
  expect(row(text, 'failed')).toEqual(['failed', 'unreachable', '30'])
  expect(row(text, 'dropped')).toEqual(['dropped', 'filter: condition', '4'])
})

test('a component shows its health and its own metrics', async () => {
  const { host, get } = await rig()
  const since = Date.UTC(2026, 0, 1)
  host.healths = [{ kind: 'exporter', id: 'debug', health: 'recoverable', since, message: 'no <peer>' }]
  host.values = [
    counter('otelcol_exporter_sent_spans', 7, { exporter: 'debug' }),
    counter('otelcol_exporter_sent_spans', 9, { exporter: 'other' }),
  ]
  expect((await get('/debug/pipelinez')).text).toContain('since 2026-01-01T00:00:00.000Z: no &lt;peer&gt;')
  const { text } = await get('/debug/pipelinez?zpipelinename=traces&zcomponentkind=exporter&zcomponentname=debug')
  expect(row(text, 'otelcol_exporter_sent_spans').slice(0, 3)).toEqual(['otelcol_exporter_sent_spans', '', '7'])
})

test('servicez shows who runs and as which configuration; what comes from outside is escaped', async () => {
  const { host, get } = await rig()
  host.effectiveConfig = () => ({ exporters: { 'otlp/<script>': {} } })
  const { text } = await get('/debug/servicez')
  expect(row(text, 'version')).toEqual(['version', '1.2.3'])
  expect(row(text, 'service.name')).toEqual(['service.name', 'sluice'])
  expect(text).toContain('otlp/&lt;script&gt;')
  expect(text).not.toContain('<script>')
})

test('tracez shows sampled spans by latency, and each of a bucket with its facts', async () => {
  const { host, get } = await rig()
  const span = {
    name: 'exporter/otlp/traces',
    kind: 3,
    spanId: 'b7ad6b7169203331',
    startMs: Date.UTC(2026, 0, 1),
    droppedAttributes: 0,
  } as const
  const book = new SpanBook()
  book.add({ ...span, traceId: 'a'.repeat(32), durationMs: 2.5, attributes: { items: 10 } })
  book.add({ ...span, traceId: 'c'.repeat(32), durationMs: 700, attributes: {}, parentSpanId: '1'.repeat(16) })
  book.add({ ...span, traceId: 'e'.repeat(32), durationMs: 1, attributes: {}, error: 'peer <down>' })
  host.ownSpans = book.read()
  // Below 10 µs, from 10 µs, 100 µs, 1 ms, 10 ms, 100 ms, 1 s, 10 s, 100 s; errors.
  expect(row((await get('/debug/tracez')).text, span.name)).toEqual([
    span.name,
    '0',
    '0',
    '0',
    '1',
    '0',
    '1',
    '0',
    '0',
    '0',
    '1',
  ])
  const slow = (await get(`/debug/tracez?zspanname=${span.name}&ztype=1&zlatencybucket=5`)).text
  expect(row(slow, 'trace')).toEqual(['trace', 'c'.repeat(32)])
  expect(row(slow, 'span')).toEqual(['span', `b7ad6b7169203331 below ${'1'.repeat(16)}`])
  const failed = (await get(`/debug/tracez?zspanname=${span.name}&ztype=2`)).text
  expect(row(failed, 'error')).toEqual(['error', 'peer &lt;down&gt;'])
  expect((await get('/debug/tracez?zspanname=other&ztype=1')).text).toContain('none')
})

test('featurez shows which gates are on', async () => {
  const { host, get } = await rig()
  const config = { ...host.config, service: { ...host.config.service, featureGates: ['service.AllowNoPipelines'] } }
  Object.assign(host, { config })
  const { text } = await get('/debug/featurez')
  expect(row(text, 'service.AllowNoPipelines').slice(0, 3)).toEqual(['service.AllowNoPipelines', 'true', 'Alpha'])
  expect(row(text, 'service.partialReload').slice(0, 3)).toEqual(['service.partialReload', 'false', 'Alpha'])
})

test('other pages: extensionz, expvarz where enabled, a way out for the rest', async () => {
  const { get } = await rig({ expvar: { enabled: true } })
  expect(row((await get('/debug/extensionz')).text, 'health_check')).toEqual(['health_check', 'unknown', ''])
  expect(JSON.parse((await get('/debug/expvarz')).text)).toMatchObject({ cmdline: process.argv })
  expect(await get('/')).toMatchObject({ status: 302, headers: { location: '/debug/servicez' } })
  expect(await get('/debug/nothing')).toMatchObject({ status: 404 })
  const { get: other } = await rig()
  expect(await other('/debug/expvarz')).toMatchObject({ status: 404 })
})
