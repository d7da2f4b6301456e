import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'

// Probes that were written for the Collector: the same question gets the same document, but for times. What this does not
// prove: what a failing component looks like, for the Collector's exporters report none.

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-health-'))
})

afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly body: unknown
}

async function ask(port: number, path: string): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`)
  const text = await answer.text()
  const type = answer.headers.get('content-type')
  // A status says it all where the body is no document.
  if (type !== 'application/json') return { status: answer.status, type: null, body: '' }
  return { status: answer.status, type, body: JSON.parse(text, timeless) as unknown }
}

/** The form of times is compared, and the fields they stand in. */
function timeless(key: string, value: unknown): unknown {
  if (key === 'uptime' && typeof value === 'string' && /^[\d.]+(ms|µs|s)$/.test(value)) return 'a duration'
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)) return value
  return 'a time'
}

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`health_check beside the Go Collector’s${note}`, () => {
  test.each([
    [
      'the first version',
      (port: number) => ({ endpoint: `127.0.0.1:${port}` }),
      ['/', '/anything'],
      { gates: [], sluice: {} },
    ],
    [
      'the second version',
      (port: number) => ({ http: { endpoint: `127.0.0.1:${port}`, status: { enabled: true } } }),
      [
        '/status',
        '/status?verbose',
        '/status?pipeline=traces',
        '/status?pipeline=traces&verbose',
        '/status?pipeline=none',
        '/',
      ],
      // The Collector takes the keys of the second version behind a gate, which stands for `use_v2`.
      { gates: ['--feature-gates=extension.healthcheck.useComponentStatus'], sluice: { use_v2: true } },
    ],
  ] as const)('%s', async (_, health, paths, { gates, sluice }) => {
    const ports = { grpc: await freePort(), collector: await freePort(), sluice: await freePort() }
    const config = (extension: object, grpc: number): string =>
      JSON.stringify({
        extensions: { health_check: extension },
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` } } } },
        processors: { batch: null },
        exporters: { nop: null },
        service: {
          extensions: ['health_check'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: {
            traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['nop'] },
            logs: { receivers: ['otlp'], exporters: ['nop'] },
          },
        },
      })
    await startCollector(folder, 'otelcol', config(health(ports.collector), ports.grpc), ports.grpc, gates)
    const file = join(folder, 'sluice.yaml')
    writeFileSync(file, config({ ...health(ports.sluice), ...sluice }, 0))
    await startSluice(['run', file])
    // It listens before it is warm.
    await eventually('it is ready', async () => ((await ask(ports.sluice, paths[0])).status === 200 ? true : undefined))
    for (const path of paths) {
      expect([path, await ask(ports.sluice, path)]).toEqual([path, await ask(ports.collector, path)])
    }
  })
})
