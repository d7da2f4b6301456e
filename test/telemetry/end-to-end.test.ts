import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { instruments } from '../../tools/instruments.ts'
import { richRequest } from '../interop/support/telemetry.ts'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { startBackend } from '../support/backend.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { exportPath } from '../support/otlp-services.ts'
import { exported, flow, pulled } from '../support/own-metrics.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'

// One engine that tells everything to everybody, as a person would see it. Its peer is another Sluice here; in
// test/interop it is the Go Collector.

const folder = mkdtempSync(join(tmpdir(), 'sluice-own-'))
afterEach(() => {
  endAll()
  rmSync(folder, { recursive: true, force: true })
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

const peer = (): string => `
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  file/metrics: {path: ${folder}/metrics.json}
  file/traces: {path: ${folder}/traces.json}
  file/logs: {path: ${folder}/logs.json}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [file/metrics]}
    traces: {receivers: [otlp], exporters: [file/traces]}
    logs: {receivers: [otlp], exporters: [file/logs]}
`

const engine = (own: string, backend: string): string => `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 2000}
  batch: {timeout: 10ms, metadata_keys: [tenant]}
  attributes: {actions: [{key: a, action: convert, converted_type: int}]}
exporters:
  otlp_grpc: {endpoint: "${backend}", tls: {insecure: true}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}
    logs: {receivers: [otlp], processors: [memory_limiter, attributes], exporters: [otlp_grpc]}
  telemetry:
    resource: {service.name: watched, zone: eu}
    metrics:
      level: detailed
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0, without_type_suffix: false, without_units: false, with_resource_constant_labels: {included: [zone]}}}}
        - periodic: {interval: 300, exporter: {otlp: {endpoint: "${own}"}}}
    logs:
      output_paths: [stderr, ${folder}/sluice.log]
      initial_fields: {cell: 7}
      processors: [{batch: {schedule_delay: 200, exporter: {otlp: {endpoint: "${own}"}}}}]
    traces:
      sampler: {parent_based: {root: {always_off: }}}
      processors: [{batch: {schedule_delay: 200, exporter: {otlp: {endpoint: "${own}"}}}}]
`

function sendTraced(address: string, request: Uint8Array): Promise<void> {
  const client = new Client(address, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('traceparent', `00-${TRACE}-${SPAN}-01`)
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(exportPath('traces'), raw, raw, request, metadata, (error) => {
      client.close()
      if (error) reject(error)
      else resolve()
    })
  })
}

test('what leaves by OTLP is what the endpoint says; lines and spans arrive', async () => {
  const backend = await startBackend()
  writeFileSync(join(folder, 'peer.yaml'), peer())
  const listener = await startSluice(['run', join(folder, 'peer.yaml')])
  const own = `http://${listener.address('receiver otlp', 'http')}`
  writeFileSync(join(folder, 'engine.yaml'), engine(own, backend.grpc))
  const sluice = await startSluice(['run', join(folder, 'engine.yaml')])
  const grpc = sluice.address('receiver otlp', 'grpc')

  const request = (signal: 'traces' | 'metrics' | 'logs') => writeProtobufjs(signal, richRequest(signal, '1'))
  await sendTraced(grpc, request('traces'))
  await exportGrpc(grpc, 'traces', request('traces'))
  await exportGrpc(grpc, 'metrics', request('metrics'))
  await exportGrpc(grpc, 'logs', request('logs'))
  const posted = await fetch(`http://${sluice.address('receiver otlp', 'http')}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(request('traces')),
  })
  expect(posted.status).toBe(200)
  await eventually('all five arrive', () => (backend.received.length === 5 ? true : undefined))

  const [first, second] = sluice.listening.filter(({ component }) => component === 'metrics')
  const said = await eventually('the export says what the endpoint says', async () => {
    const values = await pulled(first!.address)
    const sent = exported(join(folder, 'metrics.json'))
    if (sent === undefined || JSON.stringify(sorted(flow(sent))) !== JSON.stringify(sorted(flow(values))))
      return undefined
    return values
  })
  expect(Object.keys(flow(said)).length).toBeGreaterThan(40)
  expect(
    said['otelcol_receiver_requests{otel_signal="traces",outcome="success",receiver="otlp",transport="grpc"}'],
  ).toBe(2)
  expect(said['sluice_ledger_held_items{pipeline="traces"}']).toBe(0)

  const table = new Set((await instruments()).map(({ name }) => name.replaceAll('.', '_')))
  const names = Object.keys(said).map((series) => series.replace(/\{.*/, ''))
  const bare = names.map((name) => (table.has(name) ? name : name.replace(/_(count|sum)$/, '')))
  expect([...new Set(bare.filter((name) => !table.has(name)))]).toEqual([])
  // What needs a failure, another signal or another component is not there.
  const absent = [...table].filter((name) => !bare.includes(name))
  const elsewhere =
    /profile_samples|_dropped_|_failed_|_folded_|_restarts|_given_|_taken_|generator|http_client|refused_requests|component_healthy/
  expect(absent.filter((name) => !elsewhere.test(name))).toEqual([])

  const suffixed = await (await fetch(second!.address)).text()
  expect(suffixed).toContain('otelcol_receiver_accepted_spans_total{zone="eu",receiver="otlp",transport="grpc"}')
  expect(suffixed).toContain('sluice_event_loop_delay_seconds{zone="eu",thread="lane-1",quantile="0.99"}')

  const json = (name: string): string => {
    try {
      return readFileSync(join(folder, `${name}.json`), 'utf8')
    } catch {
      return ''
    }
  }
  // The request that its caller had sampled, and only that one: a receiver's span, and the exporter's below it.
  const spans = await eventually('the spans', () => {
    const found = [...json('traces').matchAll(/"name":"((?:receiver|exporter)\/[^"]+)"/g)].map(([, name]) => name!)
    return found.length >= 2 ? found.sort() : undefined
  })
  expect(spans).toEqual(['exporter/otlp_grpc/traces', 'receiver/otlp/TraceDataReceived'])
  expect(json('traces')).toContain(TRACE)
  // The backend is told of the exporter's span.
  const told = backend.received.map(({ traceparent }) => traceparent).filter((each) => each !== undefined)
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
  expect(json('traces')).toContain(`"spanId":"${told[0]!.slice(36, 52)}"`)
  expect(json('traces')).toContain('"watched"')
  await eventually('the lines', () => (json('logs').includes('"started"') ? true : undefined))
  const lines = readFileSync(join(folder, 'sluice.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.find(({ msg }) => msg === 'started')).toMatchObject({ cell: 7, level: 'info', resource: { zone: 'eu' } })

  expect(await sluice.stop()).toBe(0)
  expect(json('logs')).toContain('stopped: 0 items were held')
  await listener.stop()
  await backend.stop()
}, 60_000)

function sorted(values: object): object {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
}
