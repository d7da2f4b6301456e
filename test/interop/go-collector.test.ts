import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { files, root } from '../support/tree.ts'
import { otelcol } from './peers/registry.ts'
import { collectorVerdict, startCollector } from './support/collector.ts'
import { fileBackend } from './support/file-backend.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, recordLines, richRequest } from './support/telemetry.ts'

// What this does not prove: anything about speed, or about data that the Go Collector itself alters (it drops unknown
// fields, and refuses ids of odd lengths).

const { skip, note } = needs(otelcol)

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-interop-'))
})

afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

/** As the Collector's documentation has it, with defaults: gzip, a sending queue, retries. */
const agent = (listen: number, gateway: number): string => `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${listen}
processors:
  batch:
exporters:
  otlp:
    endpoint: 127.0.0.1:${gateway}
    tls:
      insecure: true
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    logs: {receivers: [otlp], processors: [batch], exporters: [otlp]}
`
// The gateway is the agent's configuration on another port: nothing in it knows of Sluice.
const gateway = agent

describe.skipIf(skip)(`with the Go Collector${note}`, () => {
  test('a stock agent sends through a stock gateway run by Sluice; everything arrives as it was sent', async () => {
    const ports = { agent: await freePort(), gateway: await freePort(), backend: await freePort() }
    const file = (signal: Stable): string => join(folder, `${signal}.bin`)
    const behind = await startCollector(folder, 'backend', fileBackend('grpc', ports.backend, file), ports.backend)
    const config = join(folder, 'gateway.yaml')
    writeFileSync(config, gateway(ports.gateway, ports.backend))
    expect(await collectorVerdict(config)).toBe('')
    const sluice = await startSluice(['run', config])
    const front = await startCollector(folder, 'agent', agent(ports.agent, ports.gateway), ports.agent)

    const REQUESTS = 25
    const sent = bySignal((signal) => Array.from({ length: REQUESTS }, (_, i) => richRequest(signal, String(i))))
    for (const signal of STABLE) {
      await Promise.all(
        sent[signal].map((request) => exportGrpc(`127.0.0.1:${ports.agent}`, signal, writeProtobufjs(signal, request))),
      )
    }

    const arrived = (signal: Stable): string[] => recordLines(signal, readRecords(signal, file(signal)))
    const expected = bySignal((signal) =>
      recordLines(
        signal,
        sent[signal].map((request) => readProtobufjs(signal, writeProtobufjs(signal, request))),
      ),
    )
    for (const signal of STABLE) {
      await eventually(`all ${signal} arrive\n${sluice.output()}\n${front.output()}`, () =>
        arrived(signal).length >= expected[signal].length ? true : undefined,
      )
    }
    // Front to back, so that what somebody still held would come out and be noticed as one too many.
    await front.stop()
    expect(await sluice.stop()).toBe(0)
    await behind.stop()
    for (const signal of STABLE) {
      expect(differences(expected[signal], arrived(signal))).toEqual({ missing: [], unexpected: [] })
    }
  }, 60_000)

  test.each(
    files('pipelines/*.yaml').filter((file) =>
      readFileSync(join(root, file), 'utf8').includes('Go Collector takes it'),
    ),
  )('%s is valid for the Go Collector too, as it claims', async (file) => {
    expect(await collectorVerdict(join(root, file))).toBe('')
  })
})
