import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { startBackend } from '../support/backend.ts'
import { type Books, booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { type Certificates, makeCertificates } from '../transport/support/certificates.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { agentConfig, backendConfig, fileOf, gatewayConfig, nameOf, WAYS, type Way } from './support/collector-chain.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { makeLogs, makeMetrics, makeSpans, sendAll } from './support/sdk-telemetry.ts'
import { differences, itemsOf, recordLines, richRequest } from './support/telemetry.ts'

// SDK → Collector → Sluice → Collector → files, in every way that both can send, all at once. By HTTP each receiver takes the
// compression of its way and no other. What this does not prove: that gRPC messages were compressed as configured, which
// the Collector does not tell (sinks.test.ts), and what is in fields that the Collector does not know.

const REQUESTS = 4
const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`between two Go Collectors${note}`, () => {
  let folder: string
  let certificates: Certificates
  let sent: Readonly<Record<Stable, PlainObject[]>>
  let books: Readonly<Record<string, Books>>

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-chain-'))
    certificates = makeCertificates()
    const ports = new Map<string, number>()
    for (const way of WAYS) ports.set(nameOf(way), await freePort())
    const agentPort = await freePort()
    const behind = (way: Way): string =>
      way.security === 'unix' ? join(folder, 'backend.sock') : `127.0.0.1:${ports.get(nameOf(way))}`
    const toBackend = (way: Way): string => (way.security === 'unix' ? `unix://${behind(way)}` : behind(way))
    const anywhere = (way: Way): string => (way.security === 'unix' ? join(folder, 'gateway.sock') : '127.0.0.1:0')
    const back = await startCollector(
      folder,
      'backend',
      backendConfig(behind, folder, certificates),
      ports.get(nameOf(WAYS[0]!))!,
    )
    const file = join(folder, 'gateway.yaml')
    writeFileSync(file, gatewayConfig(anywhere, toBackend, certificates))
    const sluice = await startSluice(['run', file])
    // What Sluice prints of a socket is what gRPC takes; the Collector insists on the slashes.
    const toGateway = (way: Way): string =>
      sluice.address(`receiver otlp/${nameOf(way)}`, way.protocol).replace('unix:/', 'unix:///')
    const front = await startCollector(folder, 'agent', agentConfig(agentPort, toGateway, certificates), agentPort)

    // The SDK's own telemetry goes to a server that shares no code with either, too: that tells what it sent.
    const witness = await startBackend()
    const items = { traces: await makeSpans(), metrics: await makeMetrics(), logs: await makeLogs() }
    for (const target of [witness.grpc, `127.0.0.1:${agentPort}`]) {
      const url = `http://${target}`
      await sendAll(new OTLPTraceExporter({ url }), items.traces)
      await sendAll(new OTLPMetricExporter({ url }), items.metrics)
      await sendAll(new OTLPLogExporter({ url }), items.logs)
    }
    sent = bySignal((signal) => {
      const own = Array.from({ length: REQUESTS }, (_, i) => writeProtobufjs(signal, richRequest(signal, String(i))))
      const of = witness.received.filter((each) => each.signal === signal).map(({ request }) => request)
      return [...of, ...own.map((request) => readProtobufjs(signal, request))]
    })
    await witness.stop()
    for (const signal of STABLE) {
      for (let i = 0; i < REQUESTS; i++) {
        await exportGrpc(`127.0.0.1:${agentPort}`, signal, writeProtobufjs(signal, richRequest(signal, String(i))))
      }
    }
    await eventually(
      'everything arrives',
      () =>
        WAYS.every((way) =>
          STABLE.every((signal) => readRecords(signal, fileOf(folder, way, signal)).length > REQUESTS),
        ) || undefined,
      20,
    ).catch(() => {})
    // Front to back, so that what somebody still held would come out and be noticed as one too many.
    await front.stop()
    expect(await sluice.stop()).toBe(0)
    await back.stop()
    books = booksOf(sluice)
  }, 90_000)

  afterAll(() => {
    endAll()
    endPeers()
    certificates.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(WAYS)('$protocol, $encoding, $compression, $security: the files hold what was sent', (way) => {
    for (const signal of STABLE) {
      const arrived = readRecords(signal, fileOf(folder, way, signal))
      expect(differences(recordLines(signal, sent[signal]), recordLines(signal, arrived))).toEqual({
        missing: [],
        unexpected: [],
      })
      const items = itemsOf(signal, sent[signal])
      const row = books[`${signal}/${nameOf(way)}`]
      expect(row).toMatchObject({ accepted: items, sent: items, held: 0 })
    }
  })
})
