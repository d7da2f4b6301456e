import { mkdtempSync, rmSync } from 'node:fs'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { status as GrpcStatus, Metadata } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { type GrpcClientOptions, grpcClient } from '../../src/transport/grpc-client.ts'
import { messagePrefix, PREFIX_LENGTH } from '../../src/transport/grpc-message.ts'
import { encodeStatus } from '../../src/transport/rpc-status.ts'
import type { Client } from '../../src/transport/unary.ts'
import { type JsServer, jsServer } from './support/grpc-peers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function peer(...args: Parameters<typeof jsServer>): Promise<JsServer> {
  const server = await jsServer(...args)
  cleanups.push(() => server.kill())
  return server
}

function client(port: number, options: Partial<GrpcClientOptions> = {}): Client {
  const target = parseGrpcTarget(`127.0.0.1:${port}`)
  if (typeof target === 'string') throw new Error(target)
  const made = grpcClient({ target, userAgent: 'sluice-test', ...options })
  cleanups.push(() => made.close())
  return made
}

/** An HTTP/2 server that does what `onStream` says. */
async function http2Peer(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  port = 0,
): Promise<{ port: number; sessions: http2.ServerHttp2Session[]; close(): Promise<void> }> {
  const server = http2.createServer()
  const sessions: http2.ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const session of sessions) session.destroy()
      server.close(() => resolve())
    })
  cleanups.push(close)
  return { port: (server.address() as net.AddressInfo).port, sessions, close }
}

function answerOk(stream: http2.ServerHttp2Stream): void {
  stream.resume()
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(messagePrefix(0, false))
  })
}

/** Answers with a compressed message. */
function answerPacked(stream: http2.ServerHttp2Stream, encoding: string, packed: Uint8Array): void {
  stream.resume()
  stream.on('end', () => {
    const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': encoding }
    stream.respond(headers, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.concat([messagePrefix(packed.length, true), packed]))
  })
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
}

const OPTIONS = { timeoutMs: 5_000 }
/** grpc's back-off begins with a second. */
const FAST = { firstMs: 100, factor: 1.6, maxMs: 1000, jitter: 0.2 }

describe('a grpc-js server', () => {
  test.each([[[0]], [[1]], [[100, 50]], [[70_000, 1, 3_000_000]], [[]]])(
    'gets chunks of %j bytes as one message',
    async (lengths) => {
      const server = await peer()
      const chunks = lengths.map(bytes)
      let released = 0
      const result = await client(server.port).call('logs', chunks, { ...OPTIONS, release: () => released++ })
      expect(result).toEqual({ ok: true, response: new Uint8Array(0) })
      expect(server.received[0]!.signal).toBe('logs')
      expect(Buffer.compare(server.received[0]!.body, Buffer.concat(chunks))).toBe(0)
      await expect.poll(() => released).toBe(1)
    },
  )

  test.each(['gzip', 'deflate'] as const)('reads %s', async (compression) => {
    const server = await peer()
    let released = 0
    const result = await client(server.port, { compression }).call('traces', [bytes(50_000), bytes(1)], {
      ...OPTIONS,
      release: () => released++,
    })
    expect(result.ok).toBe(true)
    expect(Buffer.compare(server.received[0]!.body, Buffer.concat([bytes(50_000), bytes(1)]))).toBe(0)
    expect(released).toBe(1)
  })

  test('sees the headers, and a response with content comes back', async () => {
    const server = await peer((_body, reply) => reply(null, Buffer.of(1, 2, 3)))
    const one = client(server.port, { headers: { 'x-tenant': 'a' } })
    const result = await one.call('traces', [bytes(1)], OPTIONS)
    expect(result.ok && [...result.response]).toEqual([1, 2, 3])
    expect(server.received[0]!.metadata.get('x-tenant')).toEqual(['a'])
    expect(server.received[0]!.metadata.get('user-agent')).toEqual(['sluice-test'])
  })

  test('says why it failed, with RetryInfo', async () => {
    const metadata = new Metadata()
    const status = { code: 8, message: 'slow down: 50 % — ok', retryAfterMs: 2_250 }
    metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(status)))
    const server = await peer((_body, reply) =>
      reply({ code: GrpcStatus.RESOURCE_EXHAUSTED, details: status.message, metadata }),
    )
    expect(await client(server.port).call('traces', [bytes(1)], OPTIONS)).toEqual({ ok: false, status })
  })

  test('that is shut down gets no new calls, and its successor does', async () => {
    const first = await peer()
    const one = client(first.port)
    expect((await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
    await first.shutdown()
    await peer(undefined, { port: first.port })
    expect(await one.call('traces', [bytes(2)], OPTIONS)).toEqual({ ok: true, response: new Uint8Array(0) })
  })

  test('that is killed with a call under way is a lost connection, and retryable', async () => {
    const server = await peer(() => server.kill())
    const result = await client(server.port).call('traces', [bytes(1)], OPTIONS)
    expect(result).toMatchObject({ ok: false, status: { code: GrpcStatus.UNAVAILABLE } })
    expect(result).toHaveProperty('connection')
  })

  test('takes many calls at a time', async () => {
    const server = await peer((_body, reply) => setTimeout(() => reply(null, Buffer.alloc(0)), 5))
    const one = client(server.port)
    const results = await Promise.all(Array.from({ length: 300 }, (_, i) => one.call('metrics', [bytes(i)], OPTIONS)))
    expect(results.every((result) => result.ok)).toBe(true)
    expect(server.received.map(({ body }) => body.length).sort((a, b) => a - b)).toEqual(results.map((_, i) => i))
  })
})

test('a header that cannot be sent fails the call, and releases the bytes', async () => {
  const server = await peer()
  let released = 0
  const one = client(server.port, { headers: { connection: 'close' } })
  expect(await one.call('traces', [bytes(1)], { ...OPTIONS, release: () => released++ })).toMatchObject({
    ok: false,
    status: { code: GrpcStatus.INTERNAL, message: expect.stringMatching(/^the request cannot be sent: /) },
  })
  expect(released).toBe(1)
})

describe('time', () => {
  test('that runs out ends the call, tells the peer, and releases the bytes', async () => {
    let timeout: string | undefined
    let reset = 0
    const server = await http2Peer((stream, headers) => {
      timeout = String(headers['grpc-timeout'])
      stream.resume()
      stream.on('close', () => {
        reset = stream.rstCode ?? 0
      })
    })
    let released = 0
    const result = await client(server.port).call('traces', [bytes(10)], { timeoutMs: 80, release: () => released++ })
    expect(result).toEqual({
      ok: false,
      status: { code: GrpcStatus.DEADLINE_EXCEEDED, message: 'no answer within 0.1 s' },
    })
    expect(timeout).toMatch(/^(79|80)\d{3}u$/)
    await expect.poll(() => reset).toBe(http2.constants.NGHTTP2_CANCEL)
    await expect.poll(() => released).toBe(1)
  })

  test('without a limit sends no grpc-timeout', async () => {
    let timeout: unknown = 'none yet'
    const server = await http2Peer((stream, headers) => {
      timeout = headers['grpc-timeout']
      answerOk(stream)
    })
    expect((await client(server.port).call('traces', [bytes(10)], { timeoutMs: 0 })).ok).toBe(true)
    expect(timeout).toBeUndefined()
  })

  test('runs out against a peer that accepts and says nothing; the bytes are released with the connection', async () => {
    const server = net.createServer(() => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    let released = 0
    const one = client((server.address() as net.AddressInfo).port)
    // More than the window of a peer that never said how large it is.
    const result = await one.call('traces', [bytes(500_000)], { timeoutMs: 100, release: () => released++ })
    expect(result).toMatchObject({ ok: false, status: { code: GrpcStatus.DEADLINE_EXCEEDED } })
    await one.close()
    await expect.poll(() => released).toBe(1)
  })
})

describe('a peer that is not there', () => {
  test('is reported at once with the cause, tried again after a pause, and used when it is back', async () => {
    const probe = await peer()
    const { port } = probe
    probe.kill()
    const one = client(port, { backoff: FAST })
    let released = 0
    const first = await one.call('traces', [bytes(1)], { ...OPTIONS, release: () => released++ })
    expect(first).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.UNAVAILABLE, message: expect.stringContaining('ECONNREFUSED') },
      connection: 'ECONNREFUSED',
    })
    await expect.poll(() => released).toBe(1)
    // Too early for another attempt: it fails at once, with the last failure.
    expect(await one.call('traces', [bytes(1)], OPTIONS)).toEqual(first)
    await peer(undefined, { port })
    await expect.poll(async () => (await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
  })

  test('is waited for under wait_for_ready', async () => {
    const probe = await peer()
    const { port } = probe
    probe.kill()
    const call = client(port, { waitForReady: true, backoff: FAST }).call('traces', [bytes(1)], OPTIONS)
    await new Promise((resolve) => setTimeout(resolve, 150))
    await peer(undefined, { port })
    expect((await call).ok).toBe(true)
  })

  test('is waited for no longer than the call has time', async () => {
    const probe = await peer()
    probe.kill()
    const result = await client(probe.port, { waitForReady: true }).call('traces', [bytes(1)], { timeoutMs: 300 })
    expect(result).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.DEADLINE_EXCEEDED, message: expect.stringContaining('ECONNREFUSED') },
    })
  })
})

describe('a peer at the level of HTTP/2', () => {
  test('that refuses a stream gets the call once more', async () => {
    let streams = 0
    const server = await http2Peer((stream) => {
      if (++streams === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      else answerOk(stream)
    })
    let released = 0
    const result = await client(server.port).call('traces', [bytes(10)], { ...OPTIONS, release: () => released++ })
    expect(result.ok).toBe(true)
    expect(streams).toBe(2)
    await expect.poll(() => released).toBe(1)
  })

  test('that refuses every stream gets no third try', async () => {
    let streams = 0
    const server = await http2Peer((stream) => {
      streams++
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    })
    expect(await client(server.port).call('traces', [bytes(10)], OPTIONS)).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.UNAVAILABLE },
    })
    expect(streams).toBe(2)
  })

  test('whose GOAWAY leaves the call out gets it on a new connection', async () => {
    const frame = (type: number, flags: number, payload: readonly number[]): Buffer =>
      Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, 0, ...payload])
    const backend = http2.createServer()
    backend.on('stream', answerOk)
    let connections = 0
    // node:http2's own `goaway` cannot name a stream below the last that it saw.
    const server = net.createServer((socket) => {
      if (++connections > 1) {
        backend.emit('connection', socket)
        return
      }
      socket.on('error', () => {})
      socket.write(Buffer.concat([frame(4, 0, []), frame(4, 1, [])]))
      socket.resume()
      setTimeout(() => socket.write(frame(7, 0, [0, 0, 0, 0, 0, 0, 0, 0])), 50)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const one = client((server.address() as net.AddressInfo).port)
    expect((await one.call('traces', [bytes(10)], OPTIONS)).ok).toBe(true)
    expect(connections).toBe(2)
  })

  test('that resets a stream after looking at it does not get it again', async () => {
    let streams = 0
    const server = await http2Peer((stream) => {
      streams++
      stream.resume()
      stream.on('end', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR))
    })
    expect(await client(server.port).call('traces', [bytes(10)], OPTIONS)).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.INTERNAL },
    })
    expect(streams).toBe(1)
  })

  test.each([
    [404, GrpcStatus.UNIMPLEMENTED],
    [429, GrpcStatus.UNAVAILABLE],
    [503, GrpcStatus.UNAVAILABLE],
    [401, GrpcStatus.UNAUTHENTICATED],
    [418, GrpcStatus.UNKNOWN],
  ])('that answers HTTP %i and no gRPC status', async (httpStatus, code) => {
    const server = await http2Peer((stream) => {
      stream.respond({ ':status': httpStatus, 'content-type': 'text/html' })
      stream.end('<html>')
    })
    expect(await client(server.port).call('traces', [bytes(10)], OPTIONS)).toMatchObject({
      ok: false,
      httpStatus,
      status: { code },
    })
  })

  test('that answers before it has read everything', async () => {
    const server = await http2Peer((stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '8', 'grpc-message': 'too large' },
        { endStream: true },
      )
    })
    let released = 0
    const result = await client(server.port).call('traces', [bytes(3_000_000)], {
      ...OPTIONS,
      release: () => released++,
    })
    expect(result).toEqual({ ok: false, status: { code: 8, message: 'too large' } })
    await expect.poll(() => released).toBe(1)
  })

  test('that speaks HTTP/1.1', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    const one = client((server.address() as net.AddressInfo).port)
    expect(await one.call('traces', [bytes(10)], OPTIONS)).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.UNAVAILABLE },
    })
  })

  test('reads the zstd that was announced', async () => {
    let body = Buffer.alloc(0)
    const server = await http2Peer((stream, headers) => {
      expect(headers['grpc-encoding']).toBe('zstd')
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const all = Buffer.concat(parts)
        expect(all[0]).toBe(1)
        body = zlib.zstdDecompressSync(all.subarray(PREFIX_LENGTH))
      })
      answerOk(stream)
    })
    expect((await client(server.port, { compression: 'zstd' }).call('traces', [bytes(9_000)], OPTIONS)).ok).toBe(true)
    expect(Buffer.compare(body, bytes(9_000))).toBe(0)
  })

  // grpc-go does so, and a Collector behind a Sluice with gzip, its default, is grpc-go.
  test.each([
    ['gzip', (bytes: Uint8Array) => zlib.gzipSync(bytes)],
    ['zstd', (bytes: Uint8Array) => zlib.zstdCompressSync(bytes)],
    ['deflate', (bytes: Uint8Array) => zlib.deflateSync(bytes)],
  ] as const)('that answers in the encoding of the request, %s', async (compression, pack) => {
    const server = await http2Peer((stream) => answerPacked(stream, compression, pack(Uint8Array.of(1, 2, 3))))
    const result = await client(server.port, { compression }).call('traces', [bytes(10)], OPTIONS)
    expect(result).toEqual({ ok: true, response: Uint8Array.of(1, 2, 3) })
  })

  test.each([
    ['by an encoding that nobody asked for', 'br', Uint8Array.of(1), 'grpc-encoding "br"'],
    ['by something else than it says', 'gzip', Uint8Array.of(1, 2, 3), 'incorrect header'],
    ['into what is larger than any answer', 'gzip', zlib.gzipSync(new Uint8Array(5 << 20)), '4194304'],
  ])('whose answer is compressed %s', async (_, encoding, packed, said) => {
    const server = await http2Peer((stream) => answerPacked(stream, encoding, packed))
    const result = await client(server.port).call('traces', [bytes(10)], OPTIONS)
    expect(result).toMatchObject({ ok: false, status: { code: GrpcStatus.INTERNAL } })
    expect(result.ok ? '' : result.status.message).toContain("the server's answer is malformed: ")
    expect(result.ok ? '' : result.status.message).toContain(said)
  })

  /** A proxy to a server that answers; while `mute` it takes bytes in and gives none out, pings' answers included. */
  async function proxied(): Promise<{ port: number; mute: boolean }> {
    const backend = await http2Peer((stream) => answerOk(stream))
    const proxy = { port: 0, mute: false }
    const server = net.createServer((socket) => {
      const upstream = net.connect(backend.port, '127.0.0.1')
      socket.on('error', () => {})
      upstream.on('error', () => {})
      socket.on('data', (part) => upstream.write(part))
      upstream.on('data', (part) => !proxy.mute && socket.write(part))
      socket.on('close', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
    proxy.port = (server.address() as net.AddressInfo).port
    return proxy
  }

  test('that stops answering is noticed by keepalive', async () => {
    const proxy = await proxied()
    const one = client(proxy.port, { keepalive: { everyMs: 50, timeoutMs: 50, withoutCalls: false } })
    expect((await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
    proxy.mute = true
    expect(await one.call('traces', [bytes(1)], OPTIONS)).toMatchObject({
      ok: false,
      status: { code: GrpcStatus.UNAVAILABLE },
      connection: 'ETIMEDOUT',
    })
    proxy.mute = false
    expect((await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
  })

  test('that stops answering is left after the first call that it cost', async () => {
    const proxy = await proxied()
    const one = client(proxy.port, { probeTimeoutMs: 50 })
    expect((await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
    proxy.mute = true
    const lost = await one.call('traces', [bytes(1)], { timeoutMs: 50 })
    expect(lost).toMatchObject({ ok: false, status: { code: GrpcStatus.DEADLINE_EXCEEDED } })
    const onTheOldConnection = one.call('traces', [bytes(1)], OPTIONS)
    proxy.mute = false
    // The answer that was swallowed never comes: without the probe this would last until the call's own time is up.
    expect(await onTheOldConnection).toMatchObject({ ok: expect.any(Boolean) })
    expect((await one.call('traces', [bytes(1)], OPTIONS)).ok).toBe(true)
  })
})

test('a Unix domain socket is a target like any other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'otlp.sock')
  const server = http2.createServer()
  server.on('stream', answerOk)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanups.push(() => server.close())
  const target = parseGrpcTarget(`unix://${path}`)
  if (typeof target === 'string') throw new Error(target)
  const one = grpcClient({ target, userAgent: 'sluice-test' })
  cleanups.push(() => one.close())
  expect((await one.call('traces', [bytes(10)], OPTIONS)).ok).toBe(true)
})
