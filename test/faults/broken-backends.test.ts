// One engine, one client, and a pipeline for every way in which a backend can fail: each pipeline's books close with what became of the
// data, a span arrives once, and no backend delays another's data. What this does not show: long outages (test/queue) and
// the wording of errors (test/exporters/*/retry-table.test.ts).
import * as http from 'node:http'
import type * as http2 from 'node:http2'
import * as net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { messagePrefix, PREFIX_LENGTH } from '../../src/transport/grpc-message.ts'
import { statusTrailers } from '../../src/transport/rpc-status.ts'
import { readProtobufjs, writeProtobufjs } from '../otlp/support/oracles.ts'
import { type Books, booksOf } from '../support/books.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { http2Peer } from '../transport/support/http2-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  endAll()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const REQUESTS = 10
const SPANS = 8
/** What one client sends in all. */
const ALL = REQUESTS * SPANS

/** Eight spans whose ids carry `number` and their place. */
function request(number: number): Uint8Array {
  const spans = Array.from({ length: SPANS }, (_, place) => ({
    traceId: new Uint8Array(16).fill(number + 1),
    spanId: Uint8Array.of(number + 1, place + 1, 0, 0, 0, 0, 0, 1),
    name: 'work'.repeat(20),
  }))
  return writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] })
}

interface Backend {
  readonly port: number
  /** Ids of the spans that it took, in order. */
  readonly taken: string[]
}

function take(backend: Backend, body: Uint8Array): void {
  const { resourceSpans } = readProtobufjs('traces', body) as {
    resourceSpans: { scopeSpans: { spans: { spanId: Uint8Array }[] }[] }[]
  }
  for (const { scopeSpans } of resourceSpans) {
    for (const { spans } of scopeSpans)
      for (const { spanId } of spans) backend.taken.push(Buffer.from(spanId).toString('hex'))
  }
}

type Verdict = 'take' | 'reset' | 'garbage' | 'too-large' | Promise<void>

/** A gRPC server that decides by the number of the call and the length of its message. */
async function grpcBackend(decide: (call: number, length: number) => Verdict): Promise<Backend> {
  const taken: string[] = []
  let calls = 0
  const answer = async (stream: http2.ServerHttp2Stream, body: Buffer): Promise<void> => {
    const verdict = decide(++calls, body.length)
    if (verdict instanceof Promise) await verdict
    if (stream.destroyed) return
    if (verdict === 'reset') {
      stream.session?.socket.destroy()
      return
    }
    if (verdict === 'too-large') {
      const message = `grpc: received message larger than max (${body.length} vs. 1)`
      const trailers = statusTrailers({ code: 8, message })
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true })
      return
    }
    const response = verdict === 'garbage' ? Buffer.from([0xff, 0xff]) : Buffer.alloc(0)
    if (verdict !== 'garbage') take(backend, body)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.concat([messagePrefix(response.length, false), response]))
  }
  const peer = await http2Peer((stream) => {
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => void answer(stream, Buffer.concat(parts).subarray(PREFIX_LENGTH)))
  })
  cleanups.push(() => peer.close())
  const backend: Backend = { port: peer.port, taken }
  return backend
}

/** The same over HTTP. */
async function httpBackend(decide: (call: number, length: number) => Verdict | number): Promise<Backend> {
  const taken: string[] = []
  let calls = 0
  const server = http.createServer((received, response) => {
    const parts: Buffer[] = []
    received.on('data', (part: Buffer) => parts.push(part))
    received.on('end', () => {
      const body = Buffer.concat(parts)
      const verdict = decide(++calls, body.length)
      if (verdict === 'reset') received.socket.destroy()
      else if (verdict === 'too-large') response.writeHead(413).end()
      else if (typeof verdict === 'number') response.writeHead(verdict, { 'retry-after': '0' }).end()
      else {
        if (verdict === 'take') take(backend, body)
        response
          .setHeader('content-type', 'application/x-protobuf')
          .end(verdict === 'garbage' ? Buffer.from([0xff]) : '')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const backend: Backend = { port: (server.address() as net.AddressInfo).port, taken }
  return backend
}

/** Takes connections and never says a word. */
async function mute(): Promise<number> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as net.AddressInfo).port
}

async function closedPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('every way to fail ends in closed books, and in no other pipeline', async () => {
  const held = Promise.withResolvers<void>()
  const HALF = request(0).length / 2
  const good = await grpcBackend(() => 'take')
  const slow = await grpcBackend(() => held.promise)
  const resetting = await grpcBackend((call) => (call <= 3 ? 'reset' : 'take'))
  const small = await grpcBackend((_call, length) => (length > HALF ? 'too-large' : 'take'))
  const garbage = await grpcBackend(() => 'garbage')
  const httpGood = await httpBackend(() => 'take')
  const httpBusy = await httpBackend((call) => (call <= 3 ? 503 : 'take'))
  const httpResetting = await httpBackend((call) => (call <= 3 ? 'reset' : 'take'))
  const httpSmall = await httpBackend((_call, length) => (length > HALF ? 'too-large' : 'take'))
  const httpGarbage = await httpBackend(() => 'garbage')
  const down = await closedPort()
  const silent = await mute()

  const quick = { enabled: true, initial_interval: '20ms', max_interval: '100ms' }
  const once = { enabled: false }
  const grpc = (port: number, retry: object, more: object = {}): object => ({
    endpoint: `127.0.0.1:${port}`,
    tls: { insecure: true },
    compression: 'none',
    retry_on_failure: retry,
    ...more,
  })
  const overHttp = (port: number, retry: object, more: object = {}): object => ({
    endpoint: `http://127.0.0.1:${port}`,
    compression: 'none',
    retry_on_failure: retry,
    ...more,
  })
  const exporters: Readonly<Record<string, object>> = {
    'otlp_grpc/good': grpc(good.port, quick),
    'otlp_grpc/slow': grpc(slow.port, quick, { timeout: '60s' }),
    'otlp_grpc/resetting': grpc(resetting.port, quick),
    'otlp_grpc/small': grpc(small.port, quick),
    'otlp_grpc/garbage': grpc(garbage.port, quick),
    'otlp_grpc/down': grpc(down, once),
    'otlp_grpc/silent': grpc(silent, once, { timeout: '100ms' }),
    'otlp_http/good': overHttp(httpGood.port, quick),
    'otlp_http/busy': overHttp(httpBusy.port, quick),
    'otlp_http/resetting': overHttp(httpResetting.port, quick),
    'otlp_http/small': overHttp(httpSmall.port, quick),
    'otlp_http/garbage': overHttp(httpGarbage.port, quick),
    'otlp_http/down': overHttp(down, once),
    'otlp_http/silent': overHttp(silent, once, { timeout: '100ms' }),
  }
  const pipelines = Object.fromEntries(
    Object.keys(exporters).map((id) => [
      `traces/${id.replace('otlp_', '').replace('/', '-')}`,
      { receivers: ['otlp'], exporters: [id] },
    ]),
  )
  const engine = await startSluice([
    'run',
    '--config',
    `yaml:${JSON.stringify({
      receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
      exporters,
      // In one lane every queue has a batch before the first exporter fails. A part that another lane has yet to take would leave
      // time to tell the client of that failure, and it does.
      service: { telemetry: { metrics: { level: 'none' } }, lanes: 1, pipelines },
    })}`,
  ])
  for (let number = 0; number < REQUESTS; number++) {
    await exportGrpc(engine.address('receiver otlp', 'grpc'), 'traces', request(number))
  }

  const whole = [good, resetting, small, httpGood, httpBusy, httpResetting, httpSmall]
  await eventually('all arrives where it can', () => whole.every(({ taken }) => taken.length >= ALL) || undefined, 20)
  // While the slow one has not answered a single request.
  expect(slow.taken).toEqual([])
  held.resolve()
  await eventually('the slow one has it too', () => slow.taken.length >= ALL || undefined, 20)
  expect(await engine.stop()).toBe(0)

  for (const { taken } of [...whole, slow]) expect(new Set(taken).size).toBe(ALL)
  // A reset may come after the data was taken, and then doubles it; here it comes before.
  for (const { taken } of [...whole, slow]) expect(taken).toHaveLength(ALL)
  const books = booksOf(engine)
  const all = (reason?: string): Partial<Books> => ({
    accepted: ALL,
    sent: reason === undefined ? ALL : 0,
    failed: reason === undefined ? {} : { [reason]: ALL },
    dropped: {},
    held: 0,
  })
  const expected: Readonly<Record<string, Partial<Books>>> = {
    'traces/grpc-good': all(),
    'traces/grpc-slow': all(),
    'traces/grpc-resetting': all(),
    'traces/grpc-small': all(),
    'traces/grpc-garbage': all('bad_response'),
    'traces/grpc-down': all('unreachable'),
    'traces/grpc-silent': all('timeout'),
    'traces/http-good': all(),
    'traces/http-busy': all(),
    'traces/http-resetting': all(),
    'traces/http-small': all(),
    'traces/http-garbage': all('bad_response'),
    'traces/http-down': all('unreachable'),
    'traces/http-silent': all('timeout'),
  }
  expect(books).toMatchObject(expected)
  expect(Object.keys(books).sort()).toEqual(Object.keys(expected).sort())
})
