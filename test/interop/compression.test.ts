import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, recordLines, richRequest } from './support/telemetry.ts'

// Every compression of both protocols, written by Sluice and read by the Go Collector and the other way round. One pipeline:
//
//   test ─► the one that writes ─ an exporter for each compression ─► the one that reads ─► a file for each
//
// What this does not prove: levels, or bodies larger than a block of every format; test/transport/codecs does.

const { skip, note } = needs(otelcol)

const HTTP = ['gzip', 'zstd', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4', 'none']
const GRPC = ['gzip', 'snappy', 'zstd', 'none']
const WAYS = [...GRPC.map((name) => `grpc/${name}`), ...HTTP.map((name) => `http/${name}`)]

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-interop-'))
})
afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

const fileOf = (way: string): string => join(folder, `${way.replace('/', '-')}.bin`)

/** Sends what it gets once in every way, each to a port of its own. */
function writer(listen: number, ports: readonly number[]): string {
  const exporters = WAYS.map((way, i) => {
    const [protocol, compression] = way.split('/')
    const endpoint = protocol === 'grpc' ? `127.0.0.1:${ports[i]}` : `http://127.0.0.1:${ports[i]}`
    return `  otlp_${protocol}/${compression}: {endpoint: '${endpoint}', compression: ${compression}, tls: {insecure: true}}`
  })
  return `
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:${listen}}}}
exporters:
${exporters.join('\n')}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [${WAYS.map((way) => `otlp_${way}`).join(', ')}]}
`
}

function reader(ports: readonly number[]): string {
  const receivers = WAYS.map(
    (way, i) => `  otlp/${i}: {protocols: {${way.split('/')[0]}: {endpoint: 127.0.0.1:${ports[i]}}}}`,
  )
  const files = WAYS.map((way, i) => `  file/${i}: {path: ${fileOf(way)}, format: proto, flush_interval: 50ms}`)
  const pipelines = WAYS.map((_, i) => `    traces/${i}: {receivers: [otlp/${i}], exporters: [file/${i}]}`)
  return `
receivers:
${receivers.join('\n')}
exporters:
${files.join('\n')}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
${pipelines.join('\n')}
`
}

describe.skipIf(skip)(`with the Go Collector${note}`, () => {
  test.each(['Sluice', 'the Collector'])(
    'what %s compresses the other reads',
    async (compressing) => {
      const ports = await Promise.all(WAYS.map(() => freePort()))
      const listen = await freePort()
      const start = async (name: string, yaml: string, port: number, sluice: boolean): Promise<() => string> => {
        if (!sluice) return (await startCollector(folder, name, yaml, port)).output
        const file = join(folder, `${name}.yaml`)
        writeFileSync(file, yaml)
        return (await startSluice(['run', file])).output
      }
      const behind = await start('reader', reader(ports), ports.at(-1)!, compressing !== 'Sluice')
      const front = await start('writer', writer(listen, ports), listen, compressing === 'Sluice')

      const requests = Array.from({ length: 8 }, (_, i) => richRequest('traces', String(i)))
      const expected = requests.flatMap((request) =>
        recordLines('traces', [readProtobufjs('traces', writeProtobufjs('traces', request))]),
      )
      for (const request of requests) {
        await exportGrpc(`127.0.0.1:${listen}`, 'traces', writeProtobufjs('traces', request))
      }
      const arrived = (way: string): string[] => recordLines('traces', readRecords('traces', fileOf(way)))
      for (const way of WAYS) {
        await eventually(
          `all arrive by ${way}\n${front()}\n${behind()}`,
          () => (arrived(way).length >= expected.length ? true : undefined),
          20,
        )
        expect(differences(expected.toSorted(), arrived(way)), way).toEqual({ missing: [], unexpected: [] })
      }
    },
    90_000,
  )
})
