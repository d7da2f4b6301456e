import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { bySignal, STABLE, type Stable } from '../support/otlp-services.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, type RunningSluice, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { fileBackend } from './support/file-backend.ts'
import { endPeers, needs } from './support/peers.ts'
import { readRecords } from './support/record-files.ts'
import { differences, recordLines, richRequest } from './support/telemetry.ts'

// A Collector sends through Sluice to a Collector, while Sluice and then the second Collector are restarted in order. What this
// does not prove: what a crash loses, or that nothing can come twice when a peer dies between taking a batch and saying so.

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-restarts-'))
})

afterEach(() => {
  endAll()
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

const REQUESTS = 90
const fileOf = (signal: Stable, run: number): string => join(folder, `${signal}-${run}.bin`)

function hop(listen: number, exporters: object): string {
  return JSON.stringify({
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${listen}` } } } },
    exporters,
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: bySignal(() => ({
        receivers: ['otlp'],
        exporters: Object.keys(exporters),
      })),
    },
  })
}

const sending = (port: number, protocol: string): Record<string, object> => ({
  otlp_grpc: {
    endpoint: `127.0.0.1:${port}`,
    tls: { insecure: true },
    compression: protocol,
    retry_on_failure: { initial_interval: '100ms', max_interval: '500ms' },
  },
})

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`between two Go Collectors${note}`, () => {
  test('restarts in order lose nothing, and the books close each time', async () => {
    const ports = { agent: await freePort(), gateway: await freePort(), backend: await freePort() }
    const startBehind = (run: number): ReturnType<typeof startCollector> => {
      const backend = fileBackend('grpc', ports.backend, (signal) => fileOf(signal, run))
      return startCollector(folder, `backend-${run}`, backend, ports.backend)
    }
    const gateway = join(folder, 'gateway.yaml')
    writeFileSync(gateway, hop(ports.gateway, sending(ports.backend, 'zstd')))
    const agent = hop(ports.agent, sending(ports.gateway, 'gzip'))

    let behind = await startBehind(0)
    let sluice: RunningSluice = await startSluice(['run', gateway])
    const front = await startCollector(folder, 'agent', agent, ports.agent)
    const sent = bySignal((signal) => Array.from({ length: REQUESTS }, (_, i) => richRequest(signal, String(i))))
    const books: RunningSluice[] = []
    let restarting: Promise<void> = Promise.resolve()
    for (let i = 0; i < REQUESTS; i++) {
      if (i === REQUESTS / 3) {
        restarting = sluice.stop().then(async (code) => {
          expect(code).toBe(0)
          books.push(sluice)
          await sleep(300)
          sluice = await startSluice(['run', gateway])
        })
      } else if (i === (2 * REQUESTS) / 3) {
        // Not before: what Sluice still held at its stop would have nowhere to go.
        restarting = restarting.then(async () => {
          await behind.stop()
          await sleep(300)
          behind = await startBehind(1)
        })
      }
      for (const signal of STABLE) {
        await exportGrpc(`127.0.0.1:${ports.agent}`, signal, writeProtobufjs(signal, sent[signal][i]!))
      }
    }
    await restarting

    const arrived = (signal: Stable): string[] =>
      recordLines(
        signal,
        [0, 1].flatMap((run) => readRecords(signal, fileOf(signal, run))),
      )
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
    await front.stop()
    expect(await sluice.stop()).toBe(0)
    books.push(sluice)
    await behind.stop()
    for (const signal of STABLE) {
      expect(differences(expected[signal], arrived(signal))).toEqual({ missing: [], unexpected: [] })
      for (const run of books) {
        const row = booksOf(run)[signal]!
        expect(row).toMatchObject({ sent: row.accepted, held: 0 })
        expect(row.failed).toEqual({})
      }
    }
  }, 60_000)
})
