import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { itemsOf, richRequest } from './support/telemetry.ts'

// Both run the same configuration, take the same requests and are scraped: what dashboards and alerts read from the Collector is
// there, with the same labels and values. What this does not prove: values of gauges and histograms, and what only
// failures count, which a Collector shows from the first failure on.

let folder: string
let backend: Backend

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-own-metrics-'))
  backend = await startBackend()
})

afterEach(async () => {
  endAll()
  endPeers()
  await backend.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

function parse(exposition: string): Series[] {
  return [...exposition.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => ({
    name: name!,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])),
    value: Number(value),
  }))
}

/** Label sets by name: what a query can ask for. */
function shapes(series: readonly Series[]): Map<string, Set<string>> {
  const byName = new Map<string, Set<string>>()
  for (const { name, labels } of series) {
    if (!/^(otelcol|http|rpc)_/.test(name)) continue
    const sets = byName.get(name) ?? new Set()
    byName.set(name, sets.add(Object.keys(labels).sort().join(',')))
  }
  return byName
}

/** What of theirs a query would not find here: `name{label}`, `name{}` where there is no such series. */
function missing(theirs: readonly Series[], ours: readonly Series[]): string[] {
  const here = shapes(ours)
  const gaps = [...shapes(theirs)].flatMap(([name, sets]) => {
    const known = here.get(name)
    if (known === undefined) return [`${name}{}`]
    const labels = new Set([...known].flatMap((set) => set.split(',')))
    return [...sets]
      .flatMap((set) => set.split(','))
      .filter((label) => !labels.has(label))
      .map((label) => `${name}{${label}}`)
  })
  return [...new Set(gaps)].sort()
}

/** Counters of items, which depend on nothing but the requests, by the labels that tell them apart. */
const COUNTED: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^otelcol_receiver_(accepted|refused)_/, ['receiver', 'transport']],
  [/^otelcol_processor_(incoming|outgoing)_items$/, ['processor', 'otel_signal']],
  [/^otelcol_processor_memory_limiter_accepted_/, ['processor']],
  [/^otelcol_exporter_sent_/, ['exporter']],
]

function counted(series: readonly Series[]): string[] {
  return COUNTED.flatMap(([wanted, labels]) =>
    series
      .filter(({ name, value }) => wanted.test(name) && value > 0)
      // The Collector's batch processor does not count what comes and goes.
      .filter(({ labels: { processor } }) => processor !== 'batch')
      .map((each) => `${each.name} ${labels.map((label) => each.labels[label] ?? '').join(' ')} ${each.value}`)
      .sort(),
  )
}

async function scrape(port: number): Promise<Series[]> {
  const series = parse(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
  return series
}

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`its own metrics beside the Go Collector’s${note}`, () => {
  test.each(['normal', 'detailed'])(
    'what the Collector exposes at level %s is there, and counts the same',
    async (level) => {
      const take = async (name: 'otelcol' | 'sluice'): Promise<Series[]> => {
        const ports = { grpc: await freePort(), http: await freePort(), metrics: await freePort() }
        const reader = { pull: { exporter: { prometheus: { host: '127.0.0.1', port: ports.metrics } } } }
        const config = {
          receivers: {
            otlp: {
              protocols: {
                grpc: { endpoint: `127.0.0.1:${ports.grpc}` },
                http: { endpoint: `127.0.0.1:${ports.http}` },
              },
            },
          },
          processors: {
            memory_limiter: { check_interval: '1s', limit_mib: 1024 },
            attributes: { actions: [{ key: 'cluster', value: 'a', action: 'insert' }] },
            batch: { timeout: '50ms' },
          },
          exporters: {
            otlp_grpc: { endpoint: backend.grpc, tls: { insecure: true } },
            otlp_http: { endpoint: backend.http },
          },
          service: {
            telemetry: { metrics: { level, readers: [reader] } },
            pipelines: bySignal(() => ({
              receivers: ['otlp'],
              processors: ['memory_limiter', 'attributes', 'batch'],
              exporters: ['otlp_grpc', 'otlp_http'],
            })),
          },
        }
        const yaml = JSON.stringify(config)
        const file = join(folder, 'sluice.yaml')
        writeFileSync(file, yaml)
        const engine =
          name === 'sluice'
            ? await startSluice(['run', file])
            : await startCollector(folder, 'otelcol', yaml, ports.grpc)
        for (const signal of STABLE) {
          const body = writeProtobufjs(signal, richRequest(signal, 'x'))
          await exportGrpc(`127.0.0.1:${ports.grpc}`, signal, body)
          const headers = { 'content-type': 'application/x-protobuf' }
          const url = `http://127.0.0.1:${ports.http}/v1/${signal}`
          const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })
          expect(answer.status).toBe(200)
        }
        // Two requests of each signal by two exporters, joined or not.
        const items = STABLE.map((signal) => itemsOf(signal, [richRequest(signal, 'x')])).reduce((a, b) => a + b)
        const sent = (series: readonly Series[]): number =>
          series
            .filter((each) => each.name.startsWith('otelcol_exporter_sent_'))
            .reduce((sum, { value }) => sum + value, 0)
        const scraped = await eventually(`${name} has sent everything\n${engine.output()}`, async () => {
          const series = await scrape(ports.metrics)
          return sent(series) >= 2 * 2 * items ? series : undefined
        })
        await engine.stop()
        return scraped
      }
      const theirs = await take('otelcol')
      const ours = await take('sluice')

      expect(missing(theirs, ours).filter((gap) => !KNOWN.some((known) => known.test(gap)))).toEqual([])
      expect(counted(ours)).toEqual(counted(theirs))
    },
  )
})

/** What of the Collector's is not here, and why. */
const KNOWN: readonly RegExp[] = [
  // Where an exporter sends, and where a server listens, are its configuration's; `exporter` and `receiver` name them.
  /^otelcol_exporter_sent_\w+\{(server_address|server_port|url_path)\}$/,
  /^http_server_\w+\{(server_address|server_port)\}$/,
  // There is one where `metadata_keys` tells batches apart.
  /^otelcol_processor_batch_metadata_cardinality\{\}$/,
]
