import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { collectorVerdict, startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, recordLines, richRequest } from './support/telemetry.ts'

// OTLP/JSON on both sides of Sluice, the Go Collector at either end. It does not show what Sluice takes that the Collector
// never writes: see json.test.ts.

const { skip, note } = needs(otelcol)

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-json-chain-'))
})

afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

const hop = (listen: string, next: number, compression: string): string => `
receivers:
  otlp:
    protocols:
      ${listen}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${next}
    encoding: json
    compression: ${compression}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${STABLE.map((signal) => `    ${signal}: {receivers: [otlp], exporters: [otlp_http]}`).join('\n')}
`

const backend = (listen: number, file: (signal: Stable) => string): string => `
receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:${listen}"}
exporters:
${STABLE.map((signal) => `  file/${signal}: {path: ${file(signal)}, format: proto, flush_interval: 50ms}`).join('\n')}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${STABLE.map((signal) => `    ${signal}: {receivers: [otlp], exporters: [file/${signal}]}`).join('\n')}
`

describe.skipIf(skip)(`OTLP/JSON between Go Collectors${note}`, () => {
  test('JSON in from the one, JSON out to the other: everything arrives as it was sent', async () => {
    const ports = { front: await freePort(), middle: await freePort(), back: await freePort() }
    const file = (signal: Stable): string => join(folder, `${signal}.bin`)
    const behind = await startCollector(folder, 'back', backend(ports.back, file), ports.back)
    const config = join(folder, 'middle.yaml')
    writeFileSync(config, hop(`http: {endpoint: "127.0.0.1:${ports.middle}"}`, ports.back, 'zstd'))
    expect(await collectorVerdict(config)).toBe('')
    const sluice = await startSluice(['run', config])
    const front = hop(`grpc: {endpoint: "127.0.0.1:${ports.front}"}`, ports.middle, 'gzip')
    const before = await startCollector(folder, 'front', front, ports.front)

    const sent = bySignal((signal) => Array.from({ length: 10 }, (_, i) => richRequest(signal, String(i))))
    const encoded = bySignal((signal) => sent[signal].map((request) => writeProtobufjs(signal, request)))
    for (const signal of STABLE) {
      await Promise.all(encoded[signal].map((bytes) => exportGrpc(`127.0.0.1:${ports.front}`, signal, bytes)))
    }
    const expected = bySignal((signal) =>
      recordLines(
        signal,
        encoded[signal].map((bytes) => readProtobufjs(signal, bytes)),
      ),
    )
    const arrived = (signal: Stable): string[] => recordLines(signal, readRecords(signal, file(signal)))
    for (const signal of STABLE) {
      await eventually(`all ${signal} arrive\n${sluice.output()}\n${before.output()}`, () =>
        arrived(signal).length >= expected[signal].length ? true : undefined,
      )
    }
    // Front to back, so that what somebody still held would come out and be noticed as one too many.
    await before.stop()
    expect(await sluice.stop()).toBe(0)
    await behind.stop()
    for (const signal of STABLE) {
      expect(differences(expected[signal], arrived(signal))).toEqual({ missing: [], unexpected: [] })
    }
  }, 60_000)
})
