import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'
import { differences, itemsOf, recordLines, richRequest } from './support/telemetry.ts'

// A Collector sends to a Sluice whose queue is full, because its backend does not answer yet: what Sluice refuses, the Collector has
// to take for a refusal that passes, and send again. What this does not prove: how long it waits.

let folder: string
let backend: Backend | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-pushback-'))
})

afterEach(async () => {
  endAll()
  endPeers()
  await backend?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const REQUESTS = 12
const QUEUE = 2

const { skip, note } = needs(otelcol)

describe.skipIf(skip)(`a Go Collector before a full Sluice${note}`, () => {
  test.each(['grpc', 'http'] as const)('by %s: it comes again, and nothing is lost', async (protocol) => {
    const open = Promise.withResolvers<void>()
    backend = await startBackend(open.promise)
    const agentPort = await freePort()
    const retry = { initial_interval: '100ms', max_interval: '500ms' }
    const config = join(folder, 'sluice.yaml')
    writeFileSync(
      config,
      JSON.stringify({
        receivers: { otlp: { protocols: { [protocol]: { endpoint: '127.0.0.1:0' } } } },
        exporters: {
          otlp_grpc: {
            endpoint: backend.grpc,
            tls: { insecure: true },
            sending_queue: { queue_size: QUEUE, num_consumers: 1 },
            timeout: '30s',
          },
        },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_grpc'] } },
        },
      }),
    )
    const sluice = await startSluice(['run', config])
    const address = sluice.address('receiver otlp', protocol)
    const sending = {
      tls: { insecure: true },
      sending_queue: { enabled: false },
      retry_on_failure: retry,
      timeout: '2s',
    }
    const exporter =
      protocol === 'grpc'
        ? { otlp_grpc: { endpoint: address, ...sending } }
        : { otlp_http: { endpoint: `http://${address}`, ...sending } }
    const agent = await startCollector(
      folder,
      'agent',
      JSON.stringify({
        receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${agentPort}` } } } },
        exporters: exporter,
        service: {
          telemetry: { metrics: { level: 'none' }, logs: { level: 'info' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: Object.keys(exporter) } },
        },
      }),
      agentPort,
    )
    const requests = Array.from({ length: REQUESTS }, (_, i) => richRequest('traces', String(i)))
    // The agent has no queue: each call lasts until Sluice has taken its request.
    let taken = 0
    const calls = requests.map(async (request) => {
      await exportGrpc(`127.0.0.1:${agentPort}`, 'traces', writeProtobufjs('traces', request))
      taken++
    })
    const all = Promise.all(calls)
    // A test that fails before it waits for them says why by itself.
    all.catch(() => {})
    await eventually(`the agent says that it will retry\n${agent.output()}`, () =>
      /Exporting failed. Will retry/.test(agent.output()) ? true : undefined,
    )
    // In the queue, and at most one in the hands of the one consumer.
    expect(taken).toBeLessThanOrEqual(QUEUE + 1)

    open.resolve()
    await all
    const sent = requests.map((request) => readProtobufjs('traces', writeProtobufjs('traces', request)))
    const arrived = (): string[] =>
      recordLines(
        'traces',
        backend!.received.map(({ request }) => request),
      )
    const expected = recordLines('traces', sent)
    await eventually(`everything arrives\n${sluice.output()}`, () =>
      arrived().length >= expected.length ? true : undefined,
    )
    await agent.stop()
    expect(await sluice.stop()).toBe(0)
    expect(differences(expected, arrived())).toEqual({ missing: [], unexpected: [] })
    const items = itemsOf('traces', sent)
    const { traces } = booksOf(sluice)
    expect(traces).toMatchObject({ sent: items, held: 0 })
    // What the headers have turned away was never accepted.
    expect({ queue_full: 0, ...traces!.failed }).toEqual({ queue_full: traces!.accepted - items })
  })
})
