import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import { type LedgerRow, total } from '../../../src/telemetry/ledger.ts'
import { encodeSpans } from '../../../src/telemetry/otlp-spans.ts'
import { exportPath } from '../../support/otlp-services.ts'
import { rawService } from '../../support/raw-service.ts'
import { runLanes } from './run-lanes.ts'

export interface ChaosOptions {
  readonly seconds: number
  /** However long that takes: on a busy machine a lane may need a second to end and to start. */
  readonly leastKills?: number
  /** A lane ends this often. */
  readonly killEveryMs: number
  readonly lanes: number
  readonly clients: number
  readonly onKill?: (lane: number, figures: Figures) => void
}

/** What the clients were told so far. */
export interface Figures {
  readonly acknowledged: number
  /** Calls that failed: their clients know that they have to come again. */
  readonly failed: number
  readonly kills: number
}

export interface ChaosResult extends Figures {
  readonly replaced: number
  /** Acknowledged as delivered, but nothing of it arrived. */
  readonly missing: number
  /** Held when a lane was lost. */
  readonly lostItems: number
  readonly row: LedgerRow
  /** Where the books of the pipeline end elsewhere than they should: accepted less all ends. */
  readonly open: number
  readonly reservedBytes: number
}

/**
 * Clients send through an engine whose lanes are killed in turn, each request of one span, named by a number of its own. The pipeline
 * acknowledges what the backend has, which keeps the names: what a client was told is compared with them at the end.
 */
export async function chaos({
  seconds,
  leastKills = 0,
  killEveryMs,
  lanes,
  clients,
  onKill,
}: ChaosOptions): Promise<ChaosResult> {
  const arrived = new Set<string>()
  const backend = await startSink(arrived)
  const engine = await runLanes(
    {
      receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
      processors: { attributes: { actions: [{ key: 'seen', value: 'yes', action: 'upsert' }] } },
      exporters: {
        otlp_grpc: { endpoint: backend.address, tls: { insecure: true }, sending_queue: { enabled: false } },
      },
      service: { pipelines: { traces: { receivers: ['otlp'], processors: ['attributes'], exporters: ['otlp_grpc'] } } },
    },
    { lanes, restartsPerMinute: 10_000 },
  )
  const acknowledged: string[] = []
  let failed = 0
  let kills = 0
  let going = true
  const address = engine.address('receiver otlp', 'grpc')
  const senders = Array.from({ length: clients }, async (_, sender) => {
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    })
    for (let number = 0; going; number++) {
      const id = `${sender.toString(16).padStart(8, '0')}${number.toString(16).padStart(24, '0')}`
      const sent = await send(client, id)
      if (sent) acknowledged.push(id)
      else {
        failed++
        await pause(5)
      }
    }
    client.close()
  })
  const figures = (): Figures => ({ acknowledged: acknowledged.length, failed, kills })
  const end = performance.now() + seconds * 1000
  while (performance.now() < end || kills < leastKills) {
    // Else on a busy machine nobody may be left, and clients that wait for that test nothing.
    await Promise.all([pause(killEveryMs), engine.supervisor.complete()])
    const lane = kills % lanes
    kills++
    await engine.supervisor.kill(lane)
    onKill?.(lane, figures())
  }
  going = false
  await Promise.all(senders)
  await engine.supervisor.complete()
  await engine.supervisor.stop(5000)
  backend.stop()
  const [row] = engine.ledger()
  if (row === undefined) throw new Error('there are no books')
  const { accepted, sent } = row
  return {
    ...figures(),
    replaced: engine.lost.filter(({ replaced }) => replaced).length,
    missing: acknowledged.filter((id) => !arrived.has(id)).length,
    lostItems: engine.lost.reduce((sum, { items }) => sum + total(items), 0),
    row,
    open: accepted - sent - total(row.failed) - total(row.dropped) - total(row.folded),
    reservedBytes: engine.budget.reserved,
  }
}

async function startSink(arrived: Set<string>): Promise<{ readonly address: string; stop(): void }> {
  const server = new Server()
  server.addService(rawService(exportPath('traces')), {
    Export(call: { request: Buffer }, done: (error: null, response: Buffer) => void) {
      for (const [id] of call.request.toString('latin1').matchAll(/[0-9a-f]{32}/g)) arrived.add(id)
      // So that calls are under way whenever a lane ends.
      setTimeout(() => done(null, Buffer.alloc(0)), 2)
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() }
}

function requestOf(id: string): Buffer {
  const span = { name: id, kind: 1, traceId: id, spanId: id.slice(-16), startMs: 1, durationMs: 1 } as const
  return Buffer.from(
    encodeSpans([{ ...span, attributes: {}, droppedAttributes: 0 }], { attributes: {}, schemaUrl: '' }, '0'),
  )
}

function send(client: Client, id: string): Promise<boolean> {
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  return new Promise((resolve) => {
    const deadline = Date.now() + 10_000
    client.makeUnaryRequest(exportPath('traces'), raw, raw, requestOf(id), { deadline }, (error) =>
      resolve(error === null),
    )
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
