import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OTLPLogExporter as GrpcLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlainObject } from '../../src/otlp/plain-object.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { STABLE, type Stable } from '../support/otlp-services.ts'
import { endAll, eventually, type RunningSluice, startSluice } from '../support/sluice.ts'
import { makeLogs, makeMetrics, makeSpans, sendAll } from './support/sdk-telemetry.ts'

// The same spans, points and records leave the SDK twice, once straight to a backend and once through Sluice to another.
// What this does not prove: anything about batching or retries, which have tests of their own.

interface Target {
  readonly grpc: string
  readonly http: string
}

let folder: string
let direct: Backend
let behind: Backend
let sluice: RunningSluice

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sdk-'))
  direct = await startBackend()
  behind = await startBackend()
  const config = join(folder, 'sluice.yaml')
  writeFileSync(
    config,
    `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:0}
      http: {endpoint: 127.0.0.1:0}
exporters:
  otlp_grpc: {endpoint: ${behind.grpc}, tls: {insecure: true}}
  otlp_http: {endpoint: ${behind.http}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${STABLE.map((signal) => `    ${signal}: {receivers: [otlp], exporters: [otlp_grpc, otlp_http]}`).join('\n')}
`,
  )
  sluice = await startSluice(['run', config])
})

afterAll(async () => {
  await sluice?.stop()
  endAll()
  await direct?.stop()
  await behind?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const sendBy = {
  grpc: async (signal: Stable, { grpc }: Target, compression: CompressionAlgorithm, items: Items) => {
    const options = { url: `http://${grpc}`, compression }
    if (signal === 'traces') await sendAll(new GrpcTraceExporter(options), items.traces)
    else if (signal === 'metrics') await sendAll(new GrpcMetricExporter(options), items.metrics)
    else await sendAll(new GrpcLogExporter(options), items.logs)
  },
  proto: async (signal: Stable, { http }: Target, compression: CompressionAlgorithm, items: Items) => {
    const options = { url: `${http}/v1/${signal}`, compression }
    if (signal === 'traces') await sendAll(new ProtoTraceExporter(options), items.traces)
    else if (signal === 'metrics') await sendAll(new ProtoMetricExporter(options), items.metrics)
    else await sendAll(new ProtoLogExporter(options), items.logs)
  },
  json: async (signal: Stable, { http }: Target, compression: CompressionAlgorithm, items: Items) => {
    const options = { url: `${http}/v1/${signal}`, compression }
    if (signal === 'traces') await sendAll(new JsonTraceExporter(options), items.traces)
    else if (signal === 'metrics') await sendAll(new JsonMetricExporter(options), items.metrics)
    else await sendAll(new JsonLogExporter(options), items.logs)
  },
}

async function makeItems() {
  return { traces: await makeSpans(), metrics: await makeMetrics(), logs: await makeLogs() }
}
type Items = Awaited<ReturnType<typeof makeItems>>

/** Takes what a backend has received by `by`, so that the next test starts with nothing. */
function take(backend: Backend, by: 'grpc' | 'http'): PlainObject[] {
  const taken = backend.received.filter((request) => request.by === by)
  for (const request of taken) backend.received.splice(backend.received.indexOf(request), 1)
  return taken.map(({ request }) => request)
}

describe.each(['grpc', 'proto', 'json'] as const)('the SDK by %s', (protocol) => {
  test.each(
    [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP].flatMap((compression) =>
      STABLE.map((signal) => [signal, compression] as const),
    ),
  )(
    '%s, compression %s: a gRPC and an HTTP server behind get what was sent, field for field',
    async (signal, compression) => {
      const items = await makeItems()
      // The server beside Sluice reads no JSON: it gets the same by protobuf.
      await sendBy[protocol === 'json' ? 'proto' : protocol](signal, direct, compression, items)
      const through = {
        grpc: sluice.address('receiver otlp', 'grpc'),
        http: `http://${sluice.address('receiver otlp', 'http')}`,
      }
      await sendBy[protocol](signal, through, compression, items)

      const sent = take(direct, protocol === 'grpc' ? 'grpc' : 'http')
      expect(sent).toHaveLength(1)
      await eventually(`both servers have it\n${sluice.output()}`, () =>
        behind.received.length >= 2 ? true : undefined,
      )
      expect(take(behind, 'grpc')).toEqual(sent)
      expect(take(behind, 'http')).toEqual(sent)
    },
  )
})
