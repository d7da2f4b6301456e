/** The sink's own gRPC server against nghttp2 (node:http2) and against @grpc/grpc-js. */
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { FrameReader } from '../../bench/load/http2/frame-reader.ts'
import {
  END_HEADERS,
  END_STREAM,
  frame,
  numberFrame,
  PREFACE,
  settings,
  WINDOW_UPDATE,
} from '../../bench/load/http2/frames.ts'
import { encodeFields } from '../../bench/load/http2/hpack.ts'
import { Sink } from '../../bench/load/sink.ts'
import { request, type Shape } from '../../bench/payload/payload.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { jsClient } from '../transport/support/grpc-peers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function listen(itemsPerSecond?: number): Promise<{ sink: Sink; port: number }> {
  const sink = new Sink({ protocol: 'grpc', ...(itemsPerSecond !== undefined && { itemsPerSecond }) })
  cleanups.push(() => sink.close())
  const port = await sink.listen()
  sink.limit()
  return { sink, port }
}

async function dial(port: number, options: http2.ClientSessionOptions = {}): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${port}`, options)
  session.on('error', () => {})
  cleanups.push(() => session.destroy())
  await once(session, 'remoteSettings')
  return session
}

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

interface Seen {
  readonly headers: http2.IncomingHttpHeaders
  readonly trailers: http2.IncomingHttpHeaders
  readonly body: Buffer
}

async function call(
  session: http2.ClientHttp2Session,
  body: Buffer,
  headers: http2.OutgoingHttpHeaders = {},
  pieces = [body.length],
): Promise<Seen> {
  const stream = session.request({ ...HEADERS, ':path': GRPC_PATHS.traces, ...headers })
  const chunks: Buffer[] = []
  let seen: http2.IncomingHttpHeaders = {}
  let trailers: http2.IncomingHttpHeaders = {}
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('response', (fields) => {
    seen = fields
  })
  stream.on('trailers', (fields) => {
    trailers = fields
  })
  for (let at = 0, i = 0; at < body.length; i++) {
    const end = at + pieces[i % pieces.length]!
    if (!stream.write(body.subarray(at, end))) await once(stream, 'drain')
    at = end
  }
  stream.end()
  await once(stream, 'close')
  return { headers: seen, trailers, body: Buffer.concat(chunks) }
}

const SPANS: Shape = { signal: 'traces', items: 10, itemBytes: 812, full: true }
const plain = (shape: Shape = SPANS): Buffer => Buffer.from(request(shape, 1))

function framed(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = compressed
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

test('every request is counted by its signal, and answered as gRPC says', async () => {
  const { sink, port } = await listen()
  const session = await dial(port)
  let items = 0
  for (const [signal, count] of [
    ['traces', 10],
    ['logs', 7],
    ['metrics', 3],
  ] as const) {
    const body = framed(plain({ ...SPANS, signal, items: count, itemBytes: signal === 'traces' ? 812 : 400 }))
    const { headers, trailers, body: answer } = await call(session, body, { ':path': GRPC_PATHS[signal] })
    expect([headers[':status'], headers['content-type'], trailers['grpc-status']]).toEqual([
      200,
      'application/grpc',
      '0',
    ])
    expect(answer).toEqual(Buffer.alloc(5))
    items += count
    expect(sink.items).toBe(items)
  }
  expect([sink.requests, sink.failures]).toEqual([3, []])
})

test.each([
  ['a byte at a time', {}, [1]],
  ['with its prefix in two', {}, [3, 4096]],
  ['padded', { paddingStrategy: http2.constants.PADDING_STRATEGY_MAX }, [1000]],
] satisfies [string, http2.ClientSessionOptions, number[]][])(
  'a body that comes %s',
  async (_name, options, pieces) => {
    const { sink, port } = await listen()
    await call(await dial(port, options), framed(plain()), {}, pieces)
    expect([sink.items, sink.requests, sink.failures]).toEqual([10, 1, []])
  },
)

test('a body larger than all windows', async () => {
  const { sink, port } = await listen()
  const message = plain({ ...SPANS, items: 40, itemBytes: 1_000_000 })
  const { trailers } = await call(await dial(port), framed(message))
  expect(trailers['grpc-status']).toBe('0')
  expect([sink.items, sink.bytes]).toEqual([40, message.length])
  expect(message.length).toBeGreaterThan(2 * (16 << 20))
})

test('headers larger than a frame, and a header table that forgets', async () => {
  const { sink, port } = await listen()
  const session = await dial(port)
  for (let i = 0; i < 50; i++) {
    // Node sends at most so much of one header block; three of them need a CONTINUATION.
    const wide =
      i % 10 === 0 ? { a: 'é'.repeat(9000), b: 'x'.repeat(9000) } : { [`name-${i}`]: `value-${i}`.repeat(20) }
    await call(session, framed(plain()), { 'grpc-timeout': `${1000 + i}m`, ...wide })
  }
  expect([sink.items, sink.failures]).toEqual([500, []])
})

test('compressed or not is said by the message, not by the headers', async () => {
  const { sink, port } = await listen()
  const session = await dial(port)
  await call(session, framed(gzipSync(plain()), 1), { 'grpc-encoding': 'gzip' })
  await call(session, framed(plain(), 0), { 'grpc-encoding': 'gzip' })
  expect([sink.items, sink.failures]).toEqual([20, []])
})

test('an answer waits for the windows of the client', async () => {
  const { sink, port } = await listen()
  const session = await dial(port, { settings: { initialWindowSize: 0 } })
  const first = call(session, framed(plain()))
  const second = call(session, framed(plain()))
  let answered = false
  void Promise.all([first, second]).then(() => {
    answered = true
  })
  await expect.poll(() => sink.items).toBe(20)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(answered).toBe(false)
  session.settings({ initialWindowSize: 5 })
  for (const { trailers, body } of await Promise.all([first, second])) {
    expect([trailers['grpc-status'], body.length]).toEqual(['0', 5])
  }
})

test('answers are as many as the window of the connection has room for', async () => {
  const { sink, port } = await listen()
  const window = 65_535
  const room = Math.floor(window / 5)
  let trailers = 0
  const ignore = (): void => {}
  const reader = new FrameReader({
    headers: (_stream, _block, ended) => {
      if (ended) trailers++
    },
    data: ignore,
    reset: ignore,
    setting: ignore,
    settingsEnd: ignore,
    ping: ignore,
    goAway: ignore,
    window: ignore,
  })
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('data', (chunk) => reader.read(chunk))
  const block = encodeFields([[':path', GRPC_PATHS.traces]])
  const calls = Array.from({ length: room + 3 }, (_, i) => [
    frame(1, END_HEADERS, 2 * i + 1, block),
    frame(0, END_STREAM, 2 * i + 1, Buffer.alloc(5)),
  ])
  socket.write(Buffer.concat([PREFACE, settings([]), ...calls.flat()]))
  await expect.poll(() => [sink.requests, trailers]).toEqual([room + 3, room])
  socket.write(numberFrame(WINDOW_UPDATE, 0, 10))
  await expect.poll(() => trailers).toBe(room + 2)
  socket.write(numberFrame(WINDOW_UPDATE, 0, 5))
  await expect.poll(() => trailers).toBe(room + 3)
})

test('what is given up before its turn is neither counted nor answered', async () => {
  const { sink, port } = await listen(50)
  const session = await dial(port)
  const stream = session.request({ ...HEADERS, ':path': GRPC_PATHS.traces })
  stream.on('error', () => {})
  stream.end(framed(plain()))
  await once(stream, 'finish')
  stream.close(http2.constants.NGHTTP2_CANCEL)
  await once(stream, 'close')
  // The other one takes as long: the first would have been served before it.
  await call(session, framed(plain()))
  expect([sink.items, sink.requests, sink.failures]).toEqual([10, 1, []])
})

test('a connection that breaks takes its requests along', async () => {
  const { sink, port } = await listen(50)
  const session = await dial(port)
  const stream = session.request({ ...HEADERS, ':path': GRPC_PATHS.traces })
  stream.on('error', () => {})
  stream.end(framed(plain()))
  await once(stream, 'finish')
  await new Promise((resolve) => setTimeout(resolve, 20))
  session.destroy()
  await call(await dial(port), framed(plain()))
  expect([sink.items, sink.requests, sink.failures]).toEqual([10, 1, []])
})

test('clients of @grpc/grpc-js', async () => {
  const { sink, port } = await listen()
  for (const gzip of [false, true]) {
    const client = jsClient(`127.0.0.1:${port}`, { gzip })
    cleanups.push(() => client.close())
    const seen = await Promise.all(Array.from({ length: 50 }, () => client.call(plain())))
    expect(seen.map(({ error, response }) => error ?? response?.length)).toEqual(seen.map(() => 0))
  }
  expect([sink.items, sink.requests, sink.failures]).toEqual([1000, 100, []])
})

test('a ping is answered', async () => {
  const { port } = await listen()
  const session = await dial(port)
  const payload = Buffer.from('8 bytes.')
  expect(await new Promise((resolve) => session.ping(payload, (_error, _ms, seen) => resolve(seen)))).toEqual(payload)
})

test.each([
  ['no request', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'a connection that does not begin as HTTP/2 does'],
  [
    'no frames',
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
    'a frame of 16777215 bytes',
  ],
])('%s: a failure, and the end of the connection', async (_name, bytes, message) => {
  const { sink, port } = await listen()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume().write(bytes)
  await once(socket, 'close')
  expect(sink.failures).toEqual([expect.stringContaining(message)])
})

test('a message of another length than it says is a failure', async () => {
  const { sink, port } = await listen()
  const { trailers } = await call(await dial(port), framed(plain()).subarray(0, 100))
  expect(trailers['grpc-status']).toBe('0')
  expect(sink.failures).toEqual([expect.stringMatching(/^sink: a message of \d+ bytes in a body of 100$/)])
})
