import { mkdtempSync, rmSync } from 'node:fs'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status as GrpcStatus, Metadata } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { type GrpcClientOptions, grpcClient } from '../../src/transport/grpc-client.ts'
import { encodeStatus } from '../../src/transport/rpc-status.ts'
import type { Client } from '../../src/transport/unary.ts'
import { type JsServer, jsServer } from './support/grpc-peers.ts'
import { answerOk, type Http2Peer, http2Peer as scriptedPeer } from './support/http2-peer.ts'

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

async function http2Peer(onStream: Parameters<typeof scriptedPeer>[0]): Promise<Http2Peer> {
  const server = await scriptedPeer(onStream)
  cleanups.push(() => server.close())
  return server
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
