// HTTP/2 out: with whom it is spoken, and what becomes of requests when a connection leaves, breaks or goes silent.
import * as http2 from 'node:http2'
import * as https from 'node:https'
import * as net from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { HttpClientOptions } from '../../src/transport/http-client.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import { GRPC } from '../../src/transport/unary.ts'
import { memoryLog } from '../support/memory-log.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'
import { client, send } from './support/http-out.ts'
import { testProxy } from './support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

let certificates: Certificates
beforeAll(() => {
  certificates = makeCertificates()
})
afterAll(() => certificates.remove())

interface SecurePeer {
  readonly url: string
  readonly versions: string[]
  readonly lengths: number[]
  readonly sessions: http2.ServerHttp2Session[]
}

async function secure(
  allowHTTP1: boolean,
  answer: (response: http2.Http2ServerResponse) => void = (to) => to.end(),
  window = 65_535,
): Promise<SecurePeer> {
  const server = http2.createSecureServer({
    cert: certificates.read(certificates.server.cert),
    key: certificates.read(certificates.server.key),
    allowHTTP1,
    settings: { initialWindowSize: window },
  })
  const found: SecurePeer = { url: '', versions: [], lengths: [], sessions: [] }
  server.on('session', (session) => {
    session.setLocalWindowSize(window)
    found.sessions.push(session)
  })
  server.on('request', (request, response) => {
    let length = 0
    request.on('data', (part: Buffer) => {
      length += part.length
    })
    request.on('end', () => {
      found.versions.push(request.httpVersion)
      found.lengths.push(length)
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const session of found.sessions) session.destroy()
    server.close()
  })
  return Object.assign(found, { url: `https://localhost:${(server.address() as net.AddressInfo).port}/v1/traces` })
}

const options = (more: Partial<HttpClientOptions> = {}): Partial<HttpClientOptions> => ({
  tls: new ClientTls(
    {
      min_version: '1.2',
      insecure: false,
      insecure_skip_verify: false,
      include_system_ca_certs_pool: false,
      ca_file: certificates.ca,
    },
    { configuredBy: 'tls', clock: systemClock, log: memoryLog().log },
  ),
  ...more,
})

test('is spoken where the server offers it, many requests on one connection', async () => {
  const server = await secure(true)
  const one = client(server.url, options())
  const body = new Uint8Array(1_000_000)
  const results = await Promise.all(Array.from({ length: 20 }, () => send(one, body)))
  expect(results.every(({ ok }) => ok)).toBe(true)
  expect(server.versions).toEqual(results.map(() => '2.0'))
  expect(server.lengths).toEqual(results.map(() => body.length))
  expect(server.sessions).toHaveLength(1)
})

test('is not where it is turned off, nor without keep-alives', async () => {
  const server = await secure(true)
  for (const off of [{ http2: false }, { keepAlives: false }])
    expect((await send(client(server.url, options(off)))).ok).toBe(true)
  expect(server.versions).toEqual(['1.1', '1.1'])
})

test('goes through a proxy', async () => {
  const server = await secure(true)
  const proxy = await testProxy()
  cleanups.push(() => proxy.close())
  expect((await send(client(server.url, options({ proxyUrl: new URL(proxy.url) })))).ok).toBe(true)
  expect(server.versions).toEqual(['2.0'])
  expect(proxy.asked).toEqual([`CONNECT ${new URL(server.url).host}`])
})

test('a server that leaves with GOAWAY gets the next request on a new connection', async () => {
  const server = await secure(true)
  const one = client(server.url, options())
  expect((await send(one)).ok).toBe(true)
  server.sessions[0]!.close()
  await expect.poll(() => server.sessions[0]!.destroyed).toBe(true)
  expect((await send(one)).ok).toBe(true)
  expect(server.sessions).toHaveLength(2)
})

/** Passes on to a server; while `mute` it takes bytes in and gives none out, while `full` it does neither. */
async function mutable(url: string): Promise<{ url: string; mute: boolean; full: boolean; connections: number }> {
  const target = new URL(url)
  const port = Number(target.port)
  const between = { url: '', mute: false, full: false, connections: 0 }
  const server = net.createServer((socket) => {
    between.connections++
    const onward = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    onward.on('error', () => {})
    const first = between.connections === 1
    socket.on('data', (part) => (between.full ? socket.pause() : onward.write(part)))
    onward.on('data', (part) => !(between.mute && first) && socket.write(part))
    socket.on('close', () => onward.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  target.port = String((server.address() as net.AddressInfo).port)
  return Object.assign(between, { url: target.href })
}

test('a server that offers none gets HTTP/1.1, many requests at a time', async () => {
  const server = https.createServer(
    {
      cert: certificates.read(certificates.server.cert),
      key: certificates.read(certificates.server.key),
      ALPNProtocols: ['http/1.1'],
    },
    (request, response) => {
      request.resume()
      response.end()
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const one = client(`https://localhost:${(server.address() as net.AddressInfo).port}/`, options())
  for (const _ of [1, 2]) {
    const results = await Promise.all(Array.from({ length: 5 }, () => send(one)))
    expect(results.map((result) => result.ok || result.status.message)).toEqual([true, true, true, true, true])
  }
})

test('a stream that a server refuses is sent again, once', async () => {
  let streams = 0
  const server = http2.createSecureServer({
    cert: certificates.read(certificates.server.cert),
    key: certificates.read(certificates.server.key),
  })
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    if (++streams === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    else stream.respond({ ':status': 200 }, { endStream: true })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  const one = client(`https://localhost:${(server.address() as net.AddressInfo).port}/`, options())
  expect((await send(one)).ok).toBe(true)
  expect(streams).toBe(2)
})

test('an answer is read no further than 64 KiB', async () => {
  const server = await secure(true, (response) => {
    response.writeHead(400, { 'content-type': 'text/plain' })
    response.write('no '.repeat(100_000))
  })
  const result = await send(client(server.url, options()))
  expect(result).toMatchObject({
    ok: false,
    httpStatus: 400,
    status: { message: expect.stringMatching(/^HTTP 400: no no /) },
  })
})

test('a server that refuses bodies in the middle is heard, again and again', async () => {
  const server = http2.createSecureServer({
    cert: certificates.read(certificates.server.cert),
    key: certificates.read(certificates.server.key),
  })
  let sessions = 0
  server.on('session', () => sessions++)
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 413 }, { endStream: true })
    stream.close(http2.constants.NGHTTP2_NO_ERROR)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  // Node counts what was not sent for ever: twelve such bodies are all that a connection takes.
  const one = client(
    `https://localhost:${(server.address() as net.AddressInfo).port}/`,
    options({ sessionMemoryMb: 12 }),
  )
  for (let i = 0; i < 40; i++) {
    expect(await send(one, new Uint8Array(1 << 20))).toMatchObject({ ok: false, httpStatus: 413 })
  }
  // A quarter of that makes a connection's share, but for what a refusal found sent already.
  expect(sessions).toBeGreaterThan(1)
})

test('a request whose time is up is over although its connection takes nothing', async () => {
  // So that all of it is on its way, and the end of the stream behind it.
  const server = await secure(true, undefined, 1 << 28)
  const between = await mutable(server.url)
  const one = client(between.url, options())
  expect((await send(one)).ok).toBe(true)
  between.full = true
  let over = false
  const late = send(one, new Uint8Array(64 << 20), 100).then((result) => {
    over = true
    return result
  })
  // The ping that would end the connection has five seconds.
  await expect.poll(() => over, { timeout: 3000 }).toBe(true)
  expect(await late).toMatchObject({ ok: false, status: { code: GRPC.DEADLINE_EXCEEDED } })
})

test('a connection without requests is closed, and made again for the next', async () => {
  const server = await secure(true)
  const one = client(server.url, options({ idleTimeoutMs: 30 }))
  expect((await send(one)).ok).toBe(true)
  await expect.poll(() => server.sessions[0]!.destroyed).toBe(true)
  expect((await send(one)).ok).toBe(true)
  expect(server.sessions).toHaveLength(2)
})

test('a server that is not there is a lost call at once', async () => {
  const gone = net.createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as net.AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  expect(await send(client(`https://127.0.0.1:${port}/`, options()))).toMatchObject({
    ok: false,
    connection: 'ECONNREFUSED',
  })
})

test('a connection that went silent is left after the first request that it cost', async () => {
  const server = await secure(true)
  const between = await mutable(server.url)
  const one = client(between.url, options({ pingTimeoutMs: 50 }))
  expect((await send(one)).ok).toBe(true)
  between.mute = true
  expect(await send(one, undefined, 100)).toMatchObject({ ok: false, status: { code: GRPC.DEADLINE_EXCEEDED } })
  await expect.poll(async () => (await send(one, undefined, 100)).ok).toBe(true)
  expect(between.connections).toBe(2)
})

test('a connection that went silent is noticed by pings while a request waits', async () => {
  const server = await secure(true)
  const between = await mutable(server.url)
  const one = client(between.url, options({ readIdleMs: 50, pingTimeoutMs: 50 }))
  expect((await send(one)).ok).toBe(true)
  between.mute = true
  const result = await send(one, undefined, 10_000)
  expect(result).toMatchObject({ ok: false, connection: 'ETIMEDOUT' })
  expect((await send(one)).ok).toBe(true)
  expect(between.connections).toBe(2)
})
