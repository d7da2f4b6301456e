import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { exported, flow, pulled } from '../support/own-metrics.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { richRequest } from './support/telemetry.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-own-'))
afterEach(() => {
  endAll()
  endPeers()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`own metrics at the Go Collector${note}`, () => {
  test.each(['grpc', 'http/protobuf', 'http/json'])(
    'by %s they are what the endpoint says',
    async (protocol) => {
      const port = await freePort()
      const file = join(folder, `${protocol.replace('/', '-')}.json`)
      const receiver = protocol === 'grpc' ? 'grpc' : 'http'
      const collector = `
receivers:
  otlp: {protocols: {${receiver}: {endpoint: "127.0.0.1:${port}"}}}
exporters:
  file: {path: ${file}, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [file]}
`
      const peer = await startCollector(folder, 'peer', collector, port)
      const config = join(folder, 'engine.yaml')
      writeFileSync(
        config,
        `
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}
processors:
  batch: {timeout: 10ms}
exporters:
  nop:
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [nop]}
  telemetry:
    metrics:
      level: detailed
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}
        - periodic: {interval: 300, exporter: {otlp: {protocol: ${protocol}, endpoint: "http://127.0.0.1:${port}", compression: gzip}}}
`,
      )
      const sluice = await startSluice(['run', config])
      const request = writeProtobufjs('traces', richRequest('traces', '1'))
      for (let i = 0; i < 3; i++) await exportGrpc(sluice.address('receiver otlp', 'grpc'), 'traces', request)
      const endpoint = sluice.listening.find(({ component }) => component === 'metrics')!.address
      const values = await eventually('both say the same', async () => {
        const [sent, here] = [exported(file), await pulled(endpoint)]
        if (sent === undefined) return undefined
        const [a, b] = [flow(sent), flow(here)]
        return Object.keys(b).every((name) => a[name] === b[name]) && Object.keys(a).length === Object.keys(b).length
          ? here
          : undefined
      })
      expect(
        values['otelcol_receiver_requests{otel_signal="traces",outcome="success",receiver="otlp",transport="grpc"}'],
      ).toBe(3)
      expect(await sluice.stop()).toBe(0)
      await peer.stop()
    },
    30_000,
  )
})
