// Backends that are slow, down, or take only small requests, behind queues of every kind: what was acknowledged arrives or
// is booked by number, and the books close. What this does not show: what a crash loses, and that memory is given back
// (the queue's own tests follow every record and its memory).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { exportPath } from '../support/otlp-services.ts'
import { rawService } from '../support/raw-service.ts'
import { endAll, eventually, type RunningSluice, startSluice } from '../support/sluice.ts'

let folder: string
const peers: Peer[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-backpressure-'))
})
afterEach(() => {
  endAll()
  for (const peer of peers.splice(0)) peer.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A gRPC server of other make that answers traces as the test says. */
class Peer {
  readonly #server: Server
  #waiting: (() => void)[] = []
  #open = true
  address = ''
  /** Names of the spans that it took, in order. */
  readonly names: string[] = []
  /** Bytes of every request that it took. */
  readonly sizes: number[] = []
  /** How many requests wait for their answer. */
  get waiting(): number {
    return this.#waiting.length
  }
  refuse: ((names: readonly string[]) => Partial<ServiceError> | undefined) | undefined

  constructor(limit?: number) {
    this.#server = new Server(limit === undefined ? {} : { 'grpc.max_receive_message_length': limit })
    this.#server.addService(rawService(exportPath('traces')), {
      Export: (call: { request: Buffer }, done: (error: Partial<ServiceError> | null, answer?: Buffer) => void) => {
        const answer = (): void => {
          const names = namesOf(call.request)
          const refusal = this.refuse?.(names)
          if (refusal !== undefined) {
            done(refusal)
            return
          }
          this.names.push(...names)
          this.sizes.push(call.request.byteLength)
          done(null, Buffer.alloc(0))
        }
        if (this.#open) answer()
        else this.#waiting.push(answer)
      },
    })
    peers.push(this)
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    this.address = `127.0.0.1:${port}`
    return this
  }

  /** Nothing is answered from now on. */
  hold(): this {
    this.#open = false
    return this
  }

  /** Answers what waits, and what comes. */
  open(): void {
    this.#open = true
    for (const answer of this.#waiting.splice(0)) answer()
  }

  close(): void {
    this.#server.forceShutdown()
  }
}

function namesOf(request: Uint8Array): string[] {
  const { resourceSpans = [] } = readProtobufjs('traces', request) as {
    resourceSpans?: { scopeSpans?: { spans?: { name: string }[] }[] }[]
  }
  return resourceSpans.flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans.map(({ name }) => name)),
  )
}

function spans(...names: string[]): Uint8Array {
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: names.map((name) => ({ name })) }] }] })
}

let serial = 0

async function start(
  exporters: Readonly<Record<string, object>>,
  processors: object = {},
  shutdown = '20s',
): Promise<RunningSluice> {
  const file = join(folder, `${serial++}.yaml`)
  const config = {
    receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
    processors,
    exporters: Object.fromEntries(
      Object.entries(exporters).map(([id, options]) => [
        id,
        { tls: { insecure: true }, compression: 'none', ...options },
      ]),
    ),
    service: {
      // Counts are those of one queue, exactly; several lanes are test/queue/lanes.test.ts.
      lanes: 1,
      shutdown_timeout: shutdown,
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], processors: Object.keys(processors), exporters: Object.keys(exporters) },
      },
    },
  }
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config))
  return startSluice(['run', file])
}

const inAt = (sluice: RunningSluice): string => sluice.address('receiver otlp', 'grpc')

/** Sends one request and says what came of it: `OK` or the status' name. */
async function tell(sluice: RunningSluice, ...names: string[]): Promise<string> {
  try {
    await exportGrpc(inAt(sluice), 'traces', spans(...names))
    return 'OK'
  } catch (error) {
    return status[(error as ServiceError).code]
  }
}

test('a full queue refuses, before it acknowledges; once it drains, those who come again are taken', async () => {
  const peer = (await new Peer().start()).hold()
  const sluice = await start({
    otlp_grpc: { endpoint: peer.address, sending_queue: { queue_size: 5, num_consumers: 2 } },
  })
  const names = Array.from({ length: 12 }, (_, i) => `r${i}`)
  const refused: string[] = []
  for (const name of names) if ((await tell(sluice, name, name)) === 'UNAVAILABLE') refused.push(name)
  // Two that are being sent and three that wait.
  expect(refused).toEqual(names.slice(5))
  peer.open()
  for (const name of refused) {
    await eventually('room', async () => ((await tell(sluice, name, name)) === 'OK' ? true : undefined))
  }
  expect(await sluice.stop()).toBe(0)
  expect(peer.names.toSorted()).toEqual(names.flatMap((name) => [name, name]).toSorted())
  const { traces } = booksOf(sluice)
  // The others were refused by their headers: what nobody read entered no pipeline.
  expect(traces).toMatchObject({ accepted: 24, sent: 24, failed: {}, held: 0 })
})

test('a stop while a queue is full and senders wait for room: they hear of it at once, what was acknowledged arrives', async () => {
  const peer = (await new Peer().start()).hold()
  const sluice = await start({
    otlp_grpc: {
      endpoint: peer.address,
      timeout: '30s',
      sending_queue: { queue_size: 2, num_consumers: 1, block_on_overflow: true },
    },
  })
  expect([await tell(sluice, 'a'), await tell(sluice, 'b')]).toEqual(['OK', 'OK'])
  const answers: string[] = []
  const waiting = ['c', 'd', 'e'].map(async (name) => answers.push(await tell(sluice, name)))
  // One of another client gives up by itself.
  const impatient = new Client(inAt(sluice), credentials.createInsecure())
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  const gaveUp = await new Promise<number | undefined>((resolve) => {
    impatient.makeUnaryRequest(exportPath('traces'), raw, raw, spans('f'), { deadline: Date.now() + 1000 }, (error) =>
      resolve(error?.code),
    )
  })
  impatient.close()
  expect([gaveUp, answers]).toEqual([status.DEADLINE_EXCEEDED, []])
  const stopped = sluice.stop()
  await Promise.all(waiting)
  expect([answers, peer.waiting]).toEqual([['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'], 1])
  peer.open()
  expect(await stopped).toBe(0)
  expect(peer.names).toEqual(['a', 'b'])
  expect(booksOf(sluice).traces).toMatchObject({
    accepted: 6,
    sent: 2,
    failed: { stopping: 3, client_gone: 1 },
    held: 0,
  })
})

test('a backend down for long: the queue is full by its bytes, and says so once', async () => {
  const name = 'x'.repeat(9_900)
  const sluice = await start({
    // Ten requests of 10 kB, whatever the thousand requests that queue_size allows.
    otlp_grpc: { endpoint: '127.0.0.1:1', sending_queue: { queue_size_bytes: 100_000 } },
  })
  const answers: string[] = []
  for (let i = 0; i < 25; i++) answers.push(await tell(sluice, name))
  expect(answers).toEqual([...Array<string>(10).fill('OK'), ...Array<string>(15).fill('UNAVAILABLE')])
  expect(await sluice.stop()).toBe(0)
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 10, sent: 0, failed: { stopping: 10 }, held: 0 })
  expect(sluice.output()).toMatch(/the queue is full \(99\d+ of 100000 bytes/)
})

test('8192 joined spans of real size reach a peer that takes 4 MiB, and one that takes less', async () => {
  // grpc-js takes 4 MiB unless it is told otherwise; the other is told 1 MiB, which nobody tells the exporter.
  const [usual, small] = [await new Peer().start(), await new Peer(1024 * 1024).start()]
  const sluice = await start(
    { 'otlp_grpc/usual': { endpoint: usual.address }, 'otlp_grpc/small': { endpoint: small.address } },
    { batch: { timeout: '60s' } },
  )
  const names = Array.from({ length: 8192 }, (_, i) => `${i} ${'x'.repeat(800)}`)
  for (let i = 0; i < names.length; i += 1024) {
    expect(await tell(sluice, ...names.slice(i, i + 1024))).toBe('OK')
  }
  await eventually('all spans at both', () => (usual.names.length + small.names.length === 2 * 8192 ? true : undefined))
  expect(await sluice.stop()).toBe(0)
  expect(usual.names.toSorted()).toEqual(names.toSorted())
  expect(small.names.toSorted()).toEqual(names.toSorted())
  // 6.6 MB in two requests; the other learned from one refusal that 3.3 MB is too much, and so on.
  expect(usual.sizes.length).toBe(2)
  expect(Math.max(...small.sizes)).toBeLessThanOrEqual(1024 * 1024)
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 8192, sent: 8192, failed: {}, held: 0 })
  expect(sluice.output()).toContain('EXPORT_TOO_LARGE')
})

test('a part that fails is sent again, and no other part is', async () => {
  const peer = await new Peer().start()
  let refused = 0
  peer.refuse = (names) => {
    if (refused === 2 || !names.some((name) => name.startsWith('5 '))) return undefined
    refused++
    return { code: status.UNAVAILABLE, details: 'not now' }
  }
  const sluice = await start({
    otlp_grpc: {
      endpoint: peer.address,
      max_request_size: 1100,
      retry_on_failure: { initial_interval: '50ms' },
      sending_queue: { wait_for_result: true },
    },
  })
  const names = Array.from({ length: 10 }, (_, i) => `${i} ${'x'.repeat(500)}`)
  expect(await tell(sluice, ...names)).toBe('OK')
  expect(await sluice.stop()).toBe(0)
  expect([refused, peer.names.length, peer.names.toSorted()]).toEqual([2, 10, names])
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 10, sent: 10, failed: {}, held: 0 })
})

test('a record that no peer takes is booked alone: its neighbours in the same request arrive', async () => {
  const peer = await new Peer(100_000).start()
  const sluice = await start({
    otlp_grpc: {
      endpoint: peer.address,
      sending_queue: { wait_for_result: true, batch: { min_size: 20, flush_timeout: '20s' } },
    },
  })
  const small = Array.from({ length: 18 }, (_, i) => `${i} small`)
  // They go in one request: the first record of the first, and the last of the second, are too large.
  const answers = [
    tell(sluice, 'x'.repeat(200_000), ...small.slice(0, 9)),
    tell(sluice, ...small.slice(9), 'y'.repeat(200_000)),
  ]
  expect(await Promise.all(answers)).toEqual(['OK', 'OK'])
  expect(await sluice.stop()).toBe(0)
  expect(peer.names.toSorted()).toEqual(small.toSorted())
  expect(booksOf(sluice).traces).toMatchObject({
    accepted: 20,
    sent: 18,
    failed: { rejected_too_large: 2 },
    held: 0,
  })
})

test('one slow backend does not delay another', async () => {
  const [slow, quick] = [(await new Peer().start()).hold(), await new Peer().start()]
  const sluice = await start({
    'otlp_grpc/slow': { endpoint: slow.address, timeout: '30s' },
    'otlp_grpc/quick': { endpoint: quick.address },
  })
  const names = Array.from({ length: 200 }, (_, i) => `r${i}`)
  for (const name of names) expect(await tell(sluice, name)).toBe('OK')
  await eventually('all at the quick one', () => (quick.names.length === 200 ? true : undefined))
  // Ten are under way there, and the other 190 wait for them.
  await eventually('ten at the slow one', () => (slow.waiting === 10 ? true : undefined))
  expect(slow.names).toEqual([])
  slow.open()
  expect(await sluice.stop()).toBe(0)
  expect([slow.names.toSorted(), quick.names.toSorted()]).toEqual([names.toSorted(), names.toSorted()])
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 200, sent: 200, failed: {}, held: 0 })
})

test('a backend whose queue is full does not keep another from its data, also behind a batch processor', async () => {
  const quick = await new Peer().start()
  const sluice = await start(
    {
      'otlp_grpc/down': { endpoint: '127.0.0.1:1', sending_queue: { queue_size: 2 } },
      'otlp_grpc/quick': { endpoint: quick.address },
    },
    { batch: { send_batch_size: 1, timeout: '10ms' } },
    '1s',
  )
  const names = Array.from({ length: 30 }, (_, i) => `r${i}`)
  const answers: string[] = []
  for (const name of names) answers.push(await tell(sluice, name))
  // Two in the queue and one that the batch processor keeps for it; the others are told to come again.
  expect(answers).toEqual([...Array<string>(3).fill('OK'), ...Array<string>(27).fill('UNAVAILABLE')])
  await eventually('all at the quick one', () => (new Set(quick.names).size === 30 ? true : undefined))
  expect(await sluice.stop()).toBe(0)
  const { traces } = booksOf(sluice)
  expect(traces).toMatchObject({ accepted: 30, sent: 0, held: 0 })
  expect(traces!.failed.queue_full! + traces!.failed.stopping!).toBe(30)
})

test('a client that gives up gets no further attempt', async () => {
  const peer = await new Peer().start()
  let attempts = 0
  peer.refuse = () => {
    attempts++
    return { code: status.UNAVAILABLE, details: 'not now' }
  }
  const sluice = await start({
    otlp_grpc: {
      endpoint: peer.address,
      sending_queue: { enabled: false },
      retry_on_failure: { initial_interval: '100ms', randomization_factor: 0, multiplier: 1 },
    },
  })
  const client = new Client(inAt(sluice), credentials.createInsecure())
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  const call = client.makeUnaryRequest(exportPath('traces'), raw, raw, spans('a', 'b'), () => {})
  await eventually('some attempts', () => (attempts >= 3 ? true : undefined))
  call.cancel()
  // One may be under way. Four would have followed in this time.
  await eventually('no more attempts', async () => {
    const made = attempts
    await new Promise((resolve) => setTimeout(resolve, 400))
    return attempts === made ? true : undefined
  })
  client.close()
  expect(await sluice.stop()).toBe(0)
  expect(booksOf(sluice).traces).toMatchObject({ accepted: 2, sent: 0, failed: { client_gone: 2 }, held: 0 })
})
