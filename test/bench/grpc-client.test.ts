/** The load's own gRPC client against nghttp2 (node:http2) and against @grpc/grpc-js, which both know nothing of it. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Answer } from '../../bench/load/answer.ts'
import { GrpcClient } from '../../bench/load/grpc-client.ts'
import { frame, GOAWAY, settings } from '../../bench/load/http2/frames.ts'
import type { Load } from '../../bench/load/protocol.ts'

const LOAD: Load = { signal: 'traces', protocol: 'grpc', items: 1, itemBytes: 1, connections: 1, inFlight: 1 }

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type OnStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void

async function serve(onStream: OnStream, options: http2.ServerOptions = {}) {
  const server = http2.createServer(options)
  const sessions: http2.ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sessions }
}

function client(port: number, load: Partial<Load> = {}) {
  const sender = new GrpcClient(port, { ...LOAD, ...load })
  cleanups.push(() => sender.close())
  return (parts: readonly Buffer[], slot = 0): Promise<Answer> => {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    return new Promise((resolve) => sender.send(slot, { parts, bytes, number: 0 }, resolve))
  }
}

function say(stream: http2.ServerHttp2Stream, status: string, more: http2.OutgoingHttpHeaders = {}): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status, ...more },
    { endStream: true },
  )
}

function answerWith(hashes: string[]): OnStream {
  return (stream) => {
    const hash = createHash('sha256')
    stream.on('data', (chunk: Buffer) => hash.update(chunk))
    stream.on('end', () => {
      hashes.push(hash.digest('hex'))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.alloc(5))
    })
  }
}

const body = (bytes: number, seed: number): Buffer =>
  Buffer.alloc(bytes, createHash('sha512').update(String(seed)).digest())
const hashOf = (parts: readonly Buffer[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex')
const BIG = [body(300_000, 1)]

describe('bodies arrive byte for byte', () => {
  test.each([
    ['with the windows that there are at first', {}],
    ['by windows smaller than a frame', { settings: { initialWindowSize: 1000 } }],
    ['by large windows', { settings: { initialWindowSize: 8 << 20 } }],
    ['two at a time', { settings: { maxConcurrentStreams: 2 } }],
    ['to a server that pads', { paddingStrategy: http2.constants.PADDING_STRATEGY_MAX }],
    ['to a server without a header table', { settings: { headerTableSize: 0 } }],
  ] satisfies [string, http2.ServerOptions][])('%s', async (_name, options) => {
    const hashes: string[] = []
    const { port } = await serve(answerWith(hashes), options)
    const send = client(port)
    // Of one byte to twenty frames, in up to three parts that end anywhere.
    const bodies = Array.from({ length: 20 }, (_, i) =>
      [body(1 + i * 700, i), body(i * 16_000, i + 1), body(i % 2, i + 2)].slice(0, 1 + (i % 3)),
    )
    // The server's settings are known from its first answer on.
    await send([body(1, 0)])
    const answers = await Promise.all(bodies.map((parts) => send(parts)))
    expect(answers.map(({ kind, text }) => text || kind)).toEqual(bodies.map(() => 'acknowledged'))
    expect(hashes.slice(1).toSorted()).toEqual(bodies.map(hashOf).toSorted())
  })

  test('where a window is closed and opened by settings in the middle', async () => {
    const hashes: string[] = []
    const { port, sessions } = await serve(answerWith(hashes), { settings: { initialWindowSize: 10 } })
    const send = client(port)
    const small = [body(5, 3)]
    await send(small)
    const answered = send(BIG)
    await expect.poll(() => sessions.length).toBe(1)
    sessions[0]!.settings({ initialWindowSize: 0 })
    await once(sessions[0]!, 'localSettings')
    sessions[0]!.settings({ initialWindowSize: 1 << 20 })
    expect((await answered).kind).toBe('acknowledged')
    expect(hashes).toEqual([small, BIG].map(hashOf))
  })
})

test('a request is what gRPC says, and no two time-outs are the same', async () => {
  const seen: http2.IncomingHttpHeaders[] = []
  const { port } = await serve((stream, headers) => {
    seen.push(headers)
    say(stream, '0')
  })
  const send = client(port, { compression: 'gzip', timeoutMs: 5000 })
  await send([body(5, 1)])
  await send([body(5, 1)])
  expect(seen.map((headers) => Object.fromEntries(Object.entries(headers)))).toEqual(
    ['05000000u', '04999999u'].map((timeout) => ({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      ':authority': `127.0.0.1:${port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'sluice-bench/1',
      'grpc-encoding': 'gzip',
      'grpc-timeout': timeout,
    })),
  )
})

test.each([
  ['0', {}, { kind: 'acknowledged', withDelay: false, text: '' }],
  ['14', {}, { kind: 'refused', withDelay: false, text: '' }],
  ['14', { 'grpc-status-details-bin': 'AAAA' }, { kind: 'refused', withDelay: true, text: '' }],
  ['8', { 'grpc-status-details-bin': 'AAAA' }, { kind: 'refused', withDelay: true, text: '' }],
  ['8', {}, { kind: 'failed', withDelay: false, text: 'grpc-status 8 ' }],
  ['3', { 'grpc-message': 'no such thing' }, { kind: 'failed', withDelay: false, text: 'grpc-status 3 no such thing' }],
  ['4', {}, { kind: 'timed out', withDelay: false, text: '' }],
])('status %s with %o', async (status, more, expected) => {
  const { port } = await serve((stream) => say(stream, status, more))
  expect(await client(port)([body(100, 1)])).toEqual(expected)
})

test('an answer that is none of gRPC is a failure', async () => {
  const { port } = await serve((stream) => stream.respond({ ':status': 404 }, { endStream: true }))
  expect((await client(port)([body(5, 1)])).text).toBe('HTTP status 404')
})

describe('an answer in the middle of a body', () => {
  test('counts, and the connection goes on', async () => {
    let calls = 0
    const resets: number[] = []
    const { port, sessions } = await serve((stream) => {
      calls++
      if (calls > 1) {
        stream.resume().on('end', () => say(stream, '0'))
        return
      }
      // The window is full and never widened: nothing is read.
      stream.on('close', () => resets.push(stream.rstCode))
      say(stream, '14', { 'grpc-status-details-bin': 'AAAA' })
    })
    const send = client(port)
    expect(await send(BIG)).toMatchObject({ kind: 'refused', withDelay: true })
    expect((await send(BIG)).kind).toBe('acknowledged')
    expect(sessions.length).toBe(1)
    expect(resets).toEqual([http2.constants.NGHTTP2_NO_ERROR])
  })

  test.each([
    [http2.constants.NGHTTP2_REFUSED_STREAM, 'refused', ''],
    [http2.constants.NGHTTP2_INTERNAL_ERROR, 'failed', 'reset with 2'],
  ])('reset with %s', async (code, kind, text) => {
    const { port, sessions } = await serve((stream) => {
      stream.once('data', () => stream.close(code))
    })
    const send = client(port)
    expect(await send(BIG)).toMatchObject({ kind, text })
    expect(await send([body(10, 1)])).toMatchObject({ kind, text })
    expect(sessions.length).toBe(1)
  })
})

test('a server that leaves gets its calls ended, and the next one comes over a new connection', async () => {
  const waiting: http2.ServerHttp2Stream[] = []
  const { port, sessions } = await serve((stream) => {
    stream.resume()
    waiting.push(stream)
  })
  const send = client(port)
  const first = send([body(10, 1)])
  await expect.poll(() => waiting.length).toBe(1)
  sessions[0]!.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const second = send([body(10, 2)])
  await expect.poll(() => waiting.length).toBe(2)
  for (const stream of waiting) say(stream, '0')
  expect([(await first).kind, (await second).kind]).toEqual(['acknowledged', 'acknowledged'])
  expect(sessions.length).toBe(2)
})

test('what a server that leaves did not look at counts as refused', async () => {
  const server = createServer((socket) => {
    const goAway = frame(GOAWAY, 0, 0, Buffer.alloc(8))
    socket.on('error', () => {}).write(Buffer.concat([settings([]), goAway]))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const { port } = server.address() as AddressInfo
  expect((await client(port)([body(10, 1)])).kind).toBe('refused')
})

test('a connection that breaks fails its calls, and the next one comes over a new one', async () => {
  let calls = 0
  const { port, sessions } = await serve((stream) => {
    if (calls++ > 0) say(stream, '0')
    else stream.session!.socket.destroy()
  })
  const send = client(port)
  expect((await send([body(10, 1)])).kind).toBe('failed')
  expect((await send([body(10, 1)])).kind).toBe('acknowledged')
  expect(sessions.length).toBe(2)
})

test('nobody listens: a failure that says so', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  expect((await client(port)([body(10, 1)])).text).toContain('ECONNREFUSED')
})

test('a request that takes too long is cancelled, before and after its body is sent', async () => {
  const codes: number[] = []
  const { port, sessions } = await serve((stream) => stream.on('close', () => codes.push(stream.rstCode)))
  const send = client(port, { timeoutMs: 50 })
  // Nobody reads: of the large one the most is never sent.
  const answers = await Promise.all([send(BIG), send([body(10, 1)])])
  expect(answers.map(({ kind }) => kind)).toEqual(['timed out', 'timed out'])
  await expect.poll(() => codes).toEqual([http2.constants.NGHTTP2_CANCEL, http2.constants.NGHTTP2_CANCEL])
  expect(sessions.length).toBe(1)
})

test('a ping is answered', async () => {
  const { port, sessions } = await serve((stream) => say(stream, '0'))
  await client(port)([body(10, 1)])
  const payload = Buffer.from('8 bytes.')
  const answer = await new Promise((resolve) => sessions[0]!.ping(payload, (_error, _ms, seen) => resolve(seen)))
  expect(answer).toEqual(payload)
})

test('a server that speaks something else ends the connection', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const { port } = server.address() as AddressInfo
  expect((await client(port)([body(10, 1)])).text).toMatch(/^a frame of \d+ bytes; 16384 are allowed$/)
})
