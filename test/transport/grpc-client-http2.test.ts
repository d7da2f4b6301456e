// Peers that do HTTP/2 in their own way: refuse, leave, reset, answer early or not at all.
import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as zlib from 'node:zlib'
import { status as GrpcStatus } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { type GrpcClientOptions, grpcClient } from '../../src/transport/grpc-client.ts'
import { attemptCall } from '../../src/transport/grpc-client-call.ts'
import { GrpcConnection } from '../../src/transport/grpc-connection.ts'
import { messagePrefix, PREFIX_LENGTH } from '../../src/transport/grpc-message.ts'
import type { Client } from '../../src/transport/unary.ts'
import { answerOk, type Http2Peer, http2Peer as scriptedPeer } from './support/http2-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function client(port: number, options: Partial<GrpcClientOptions> = {}): Client {
  const target = parseGrpcTarget(`127.0.0.1:${port}`)
  if (typeof target === 'string') throw new Error(target)
  const made = grpcClient({ target, userAgent: 'sluice-test', ...options })
  cleanups.push(() => made.close())
  return made
}

async function http2Peer(onStream: Parameters<typeof scriptedPeer>[0]): Promise<Http2Peer> {
  const server = await scriptedPeer(onStream)
  cleanups.push(() => server.close())
  return server
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

test('a connection whose stream numbers are used up is left, and the call told from one that was looked at', async () => {
  const server = await http2Peer(answerOk)
  const { promise, resolve } = Promise.withResolvers<void>()
  const connection = new GrpcConnection({
    address: { host: '127.0.0.1', port: server.port },
    authority: 'localhost',
    changed: resolve,
  })
  cleanups.push(() => connection.destroy())
  await promise
  // Node has it, its types have not.
  const session = connection.session as http2.ClientHttp2Session & { setNextStreamID(id: number): void }
  session.setNextStreamID(2 ** 31 - 1)
  let written = 0
  const attempt = () =>
    attemptCall(connection, {
      headers: { ':method': 'POST', ':path': '/x', ':scheme': 'http', ':authority': 'localhost' },
      chunks: [bytes(10)],
      compressed: false,
      timeoutMs: 5000,
      written: () => written++,
    })
  expect((await attempt()).result.ok).toBe(true)
  expect(await attempt()).toMatchObject({
    result: { ok: false, status: { code: GrpcStatus.UNAVAILABLE } },
    unprocessed: true,
  })
  expect(connection.usable).toBe(false)
  expect(server.calls).toBe(1)
  await expect.poll(() => written).toBe(2)
})
