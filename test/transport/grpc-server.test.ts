import * as http2 from 'node:http2'
import { status as GrpcStatus } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { messagePrefix } from '../../src/transport/grpc-message.ts'
import { type GrpcServerOptions, serveGrpc } from '../../src/transport/grpc-server.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { decodeStatus } from '../../src/transport/rpc-status.ts'
import type { Server, ServerCall, ServerHandler } from '../../src/transport/unary.ts'
import { type JsClient, jsClient } from './support/grpc-peers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(handler: ServerHandler, options: Partial<GrpcServerOptions> = {}): Promise<Server> {
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces', 'metrics'],
      maxMessageBytes: 4 << 20,
      ...options,
    },
    handler,
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  return server
}

function client(...args: Parameters<typeof jsClient>): JsClient {
  const made = jsClient(...args)
  cleanups.push(() => made.close())
  return made
}

const accept: ServerHandler = { handle: (call) => call.ok() }

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
}

describe('a grpc-js client', () => {
  test.each([0, 1, 100, 70_000, 3_000_000])('has %i bytes arrive as they were sent', async (length) => {
    const calls: ServerCall[] = []
    const server = await serve({
      handle(call) {
        calls.push(call)
        call.ok()
      },
    })
    const seen = await client(server.address).call(bytes(length))
    expect(seen.error).toBeUndefined()
    expect(seen.response).toHaveLength(0)
    expect(Buffer.compare(calls[0]!.body, bytes(length))).toBe(0)
    expect(calls[0]!.head.signal).toBe('traces')
    expect(calls[0]!.head.peer).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  test('may compress with gzip', async () => {
    const calls: ServerCall[] = []
    const server = await serve({
      handle(call) {
        calls.push(call)
        call.ok()
      },
    })
    const seen = await client(server.address, { gzip: true }).call(new Uint8Array(200_000).fill(7))
    expect(seen.error).toBeUndefined()
    expect(calls[0]!.body).toHaveLength(200_000)
    expect(calls[0]!.body.every((byte) => byte === 7)).toBe(true)
  })

  test('reads a response with content', async () => {
    const server = await serve({ handle: (call) => call.ok(Uint8Array.of(1, 2, 3)) })
    const seen = await client(server.address).call(bytes(10))
    expect([...seen.response!]).toEqual([1, 2, 3])
  })

  test('reads a failure with its message, whatever is in it, and RetryInfo', async () => {
    const message = 'queue full: 100 % of "a" — wait\n'
    const server = await serve({ handle: (call) => call.fail({ code: 14, message, retryAfterMs: 1500 }) })
    const { error } = await client(server.address).call(bytes(10))
    expect(error!.code).toBe(GrpcStatus.UNAVAILABLE)
    expect(error!.details).toBe(message)
    const details = error!.metadata.get('grpc-status-details-bin')[0] as Buffer
    expect(decodeStatus(details)).toEqual({ code: 14, message, retryAfterMs: 1500 })
  })

  test.each([
    ['a method that is not there', `${GRPC_PATHS.traces}ed`, /unknown method Exported for service .*TraceService/],
    ['a service that is not wired', GRPC_PATHS.logs, /unknown service .*LogsService/],
    ['a path that is none', '/x', /malformed method name: "\/x"/],
  ])('gets UNIMPLEMENTED for %s', async (_name, path, message) => {
    const server = await serve(accept)
    const { error } = await client(server.address).call(bytes(10), { path })
    expect(error!.code).toBe(GrpcStatus.UNIMPLEMENTED)
    expect(error!.details).toMatch(message)
  })

  test('is refused at the prefix when its message is over the limit, and may go on', async () => {
    let handled = 0
    const server = await serve(
      {
        handle(call) {
          handled++
          call.ok()
        },
      },
      { maxMessageBytes: 1000 },
    )
    const one = client(server.address)
    // Far above every window: nobody reads the rest, and the connection stays good for others.
    for (let i = 0; i < 8; i++) {
      const { error } = await one.call(new Uint8Array(8 << 20))
      expect(error!.code).toBe(GrpcStatus.RESOURCE_EXHAUSTED)
      expect(error!.details).toBe(`grpc: received message larger than max (${8 << 20} vs. 1000)`)
    }
    expect((await one.call(bytes(1000))).error).toBeUndefined()
    expect(handled).toBe(1)
  })

  test('is refused when its message would grow over the limit', async () => {
    const server = await serve(accept, { maxMessageBytes: 10_000 })
    const { error } = await client(server.address, { gzip: true }).call(new Uint8Array(10_001))
    expect(error!.code).toBe(GrpcStatus.RESOURCE_EXHAUSTED)
    expect(error!.details).toBe('grpc: received message after decompression larger than max 10000')
  })

  test('is seen to go: by cancelling, and by running out of time', async () => {
    const gone: string[] = []
    const server = await serve({
      handle(call) {
        call.onGone(() => {
          gone.push(call.gone ? 'gone' : 'there')
          call.ok()
          call.fail({ code: 13, message: 'late' })
        })
      },
    })
    const one = client(server.address)
    const cancelled = await one.call(bytes(10), { cancelAfterMs: 30 })
    expect(cancelled.error!.code).toBe(GrpcStatus.CANCELLED)
    await expect.poll(() => gone).toEqual(['gone'])
    const late = await one.call(bytes(10), { timeoutMs: 50 })
    expect(late.error!.code).toBe(GrpcStatus.DEADLINE_EXCEEDED)
    await expect.poll(() => gone).toEqual(['gone', 'gone'])
  })

  test('may be refused by its headers, before its body', async () => {
    let handled = false
    const server = await serve({
      authorise: (head) =>
        head.metadata()['x-token']?.[0] === 'yes' ? undefined : { code: 16, message: `who are you, ${head.signal}?` },
      handle(call) {
        handled = true
        call.ok()
      },
    })
    const one = client(server.address)
    const { error } = await one.call(new Uint8Array(8 << 20))
    expect(error!.code).toBe(GrpcStatus.UNAUTHENTICATED)
    expect(error!.details).toBe('who are you, traces?')
    expect(handled).toBe(false)
    expect((await one.call(bytes(10), { metadata: { 'x-token': 'yes' } })).error).toBeUndefined()
  })
})

test('32 requests of 512 KiB under way at once on one connection', async () => {
  const waiting: ServerCall[] = []
  const server = await serve({
    handle(call) {
      waiting.push(call)
      if (waiting.length === 32) for (const each of waiting) each.ok()
    },
  })
  const one = client(server.address)
  const seen = await Promise.all(Array.from({ length: 32 }, () => one.call(new Uint8Array(512 << 10))))
  expect(seen.filter((each) => each.error !== undefined)).toEqual([])
})

describe('a peer at the level of HTTP/2', () => {
  interface Reply {
    headers: http2.IncomingHttpHeaders
    trailers: http2.IncomingHttpHeaders
    rst: number
  }

  async function send(
    address: string,
    parts: readonly Uint8Array[],
    headers: http2.OutgoingHttpHeaders = {},
    act?: (stream: http2.ClientHttp2Stream) => void,
  ): Promise<Reply> {
    const session = http2.connect(`http://${address}`)
    cleanups.push(() => session.destroy())
    session.on('error', () => {})
    const stream = session.request({
      ':method': 'POST',
      ':path': GRPC_PATHS.traces,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const reply: Reply = { headers: {}, trailers: {}, rst: 0 }
    stream.on('response', (got) => {
      reply.headers = got
    })
    stream.on('trailers', (got) => {
      reply.trailers = got
    })
    stream.on('error', () => {})
    stream.resume()
    act?.(stream)
    for (const part of parts) {
      await new Promise((resolve) => stream.write(part, resolve))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (!stream.destroyed) stream.end()
    await new Promise((resolve) => (stream.closed ? resolve(undefined) : stream.once('close', resolve)))
    reply.rst = stream.rstCode ?? 0
    return reply
  }

  const message = Buffer.concat([messagePrefix(6, false), bytes(6)])

  test('may cut the prefix and the message anywhere', async () => {
    const bodies: Uint8Array[] = []
    const server = await serve({
      handle(call) {
        bodies.push(call.body)
        call.ok()
      },
    })
    for (let cut = 1; cut < message.length; cut++) {
      const reply = await send(server.address, [message.subarray(0, cut), message.subarray(cut)])
      expect(reply.trailers['grpc-status']).toBe('0')
    }
    await send(
      server.address,
      [...message].map((byte) => Uint8Array.of(byte)),
    )
    expect(bodies).toHaveLength(message.length)
    for (const body of bodies) expect([...body]).toEqual([...bytes(6)])
  })

  test.each([
    ['no message', [], '12', 'no message in a unary call'],
    ['two messages', [message, message], '12', 'more than one message, or bytes after it, in a unary call'],
    ['a message cut short', [message.subarray(0, 8)], '13', 'message ends after 3 of 6 bytes'],
    ['a prefix cut short', [message.subarray(0, 3)], '13', 'message prefix ends after 3 of 5 bytes'],
    ['a flag that is none', [Uint8Array.of(2, 0, 0, 0, 0)], '13', 'message flag is 2, expected 0 or 1'],
    [
      'compression that nobody announced',
      [Uint8Array.of(1, 0, 0, 0, 0)],
      '13',
      'grpc: compressed flag set with identity or empty encoding',
    ],
  ])('is told of %s', async (_name, parts, status, text) => {
    const server = await serve(accept)
    const { headers } = await send(server.address, parts)
    expect(headers[':status']).toBe(200)
    expect([headers['grpc-status'], headers['grpc-message']]).toEqual([status, text])
  })

  test('is told which compressions there are', async () => {
    const server = await serve(accept)
    const { headers } = await send(server.address, [message], { 'grpc-encoding': 'br' })
    expect(headers['grpc-status']).toBe('12')
    expect(headers['grpc-message']).toBe('grpc: Decompressor is not installed for grpc-encoding "br"')
    expect(headers['grpc-accept-encoding']).toBe('identity,gzip,zstd,snappy,deflate')
  })

  test('is told that its compressed bytes are none', async () => {
    const server = await serve(accept)
    const garbage = Buffer.concat([messagePrefix(40, true), bytes(40)])
    const { headers } = await send(server.address, [garbage], { 'grpc-encoding': 'gzip' })
    expect(headers['grpc-status']).toBe('13')
    expect(headers['grpc-message']).toMatch(/^grpc: failed to decompress the received message: /)
  })

  test.each([
    ['GET', { ':method': 'GET' }, 405, '13', 'Received a HEADERS frame with :method "GET" which should be POST'],
    [
      'another content type',
      { 'content-type': 'application/json' },
      415,
      '3',
      'invalid gRPC request content-type "application/json"',
    ],
    [
      'a content type that only begins alike',
      { 'content-type': 'application/grpcx' },
      415,
      '3',
      'invalid gRPC request content-type "application/grpcx"',
    ],
  ])('gets an HTTP status, and gRPC its own, for %s', async (_name, headers, status, code, message) => {
    const server = await serve(accept)
    const { headers: seen } = await send(server.address, [], headers)
    expect([seen[':status'], seen['grpc-status'], seen['grpc-message']]).toEqual([status, code, message])
  })

  test('may reset its stream at any point without harm', async () => {
    const server = await serve({ handle: (call) => setTimeout(() => call.ok(), 2) })
    for (const afterMs of [0, 1, 3, 6, 9]) {
      await send(server.address, [message.subarray(0, 7), message.subarray(7)], {}, (stream) =>
        setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), afterMs),
      ).catch(() => {})
    }
    const reply = await send(server.address, [message])
    expect(reply.trailers['grpc-status']).toBe('0')
  })
})

test('a storm of resets at any moment, while answers are on their way, hurts nobody', async () => {
  const server = await serve({
    handle(call) {
      if (call.body[0]! < 85) call.ok()
      else if (call.body[0]! < 170) setImmediate(() => call.fail({ code: 14, message: 'no' }))
      else setTimeout(() => call.ok(Uint8Array.of(1)), 1)
    },
  })
  const session = http2.connect(`http://${server.address}`)
  cleanups.push(() => session.destroy())
  session.on('error', () => {})
  const headers = { ':method': 'POST', ':path': GRPC_PATHS.traces, 'content-type': 'application/grpc', te: 'trailers' }
  // Below the 1000 resets after which Node takes a client for an attacker.
  const closed = Array.from({ length: 600 }, (_, i) => {
    const stream = session.request(headers)
    stream.on('error', () => {})
    stream.resume()
    stream.end(Buffer.concat([messagePrefix(1, false), Uint8Array.of(i & 0xff)]))
    const reset = (): void => stream.close(http2.constants.NGHTTP2_CANCEL)
    if (i % 4 === 0) reset()
    else if (i % 4 === 1) setImmediate(reset)
    else if (i % 4 === 2) setTimeout(reset, i % 5)
    return new Promise((resolve) => stream.once('close', resolve))
  })
  await Promise.all(closed)
  expect((await client(server.address).call(bytes(1))).error).toBeUndefined()
})

describe('closing', () => {
  test('lets calls under way finish and takes no new ones', async () => {
    let held: ServerCall | undefined
    const server = await serve({
      handle(call) {
        held = call
      },
    })
    const one = client(server.address)
    const underWay = one.call(bytes(10))
    await expect.poll(() => held).toBeDefined()
    const closed = server.close(AbortSignal.timeout(5_000))
    setTimeout(() => held!.ok(), 50)
    expect((await underWay).error).toBeUndefined()
    await closed
    const { error } = await one.call(bytes(10), { timeoutMs: 500 })
    expect(error!.code).toBe(GrpcStatus.UNAVAILABLE)
  })

  test('cuts what is still there at the deadline', async () => {
    const server = await serve({ handle() {} })
    const underWay = client(server.address).call(bytes(10))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.close(AbortSignal.timeout(50))
    expect((await underWay).error!.code).toBe(GrpcStatus.UNAVAILABLE)
  })
})

test('calls above max_concurrent_streams wait at their client, and all are served', async () => {
  let open = 0
  let most = 0
  const server = await serve(
    {
      handle(call) {
        most = Math.max(most, ++open)
        setTimeout(() => {
          open--
          call.ok()
        }, 1)
      },
    },
    { maxConcurrentStreams: 2 },
  )
  const js = client(server.address)
  // The first tells the client the limit; before, it may try more, is refused and comes again.
  expect((await js.call(bytes(10))).error).toBeUndefined()
  const seen = await Promise.all(Array.from({ length: 100 }, () => js.call(bytes(10))))
  expect(seen.filter(({ error }) => error !== undefined)).toEqual([])
  expect(most).toBe(2)
})

test('so are those that come before a client knows the limit', async () => {
  const server = await serve({ handle: (call) => setTimeout(() => call.ok(), 1) }, { maxConcurrentStreams: 2 })
  const js = client(server.address)
  const seen = await Promise.all(Array.from({ length: 200 }, () => js.call(bytes(10))))
  expect(seen.filter(({ error }) => error !== undefined).map(({ error }) => error?.message)).toEqual([])
})
