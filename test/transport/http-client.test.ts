import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import * as net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type HttpClientOptions, httpClient } from '../../src/transport/http-client.ts'
import { ProxyEnvironment } from '../../src/transport/proxy-environment.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import { type CallResult, type Client, GRPC } from '../../src/transport/unary.ts'
import { memoryLog } from '../support/memory-log.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'
import { testProxy } from './support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Received {
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

interface Peer {
  readonly url: string
  readonly received: Received[]
  /** Connections that are open. */
  readonly open: Set<net.Socket>
  connections: number
}

async function peer(
  answer: (response: http.ServerResponse, received: Received) => void = (to) => to.end(),
): Promise<Peer> {
  const received: Received[] = []
  const open = new Set<net.Socket>()
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = { url: request.url!, headers: request.headers, body: Buffer.concat(parts) }
      received.push(one)
      answer(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const found: Peer = {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    received,
    open,
    connections: 0,
  }
  server.on('connection', (socket: net.Socket) => {
    found.connections++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return found
}

function client(url: string, options: Partial<HttpClientOptions> = {}): Client {
  const made = httpClient({
    urls: { traces: url },
    contentType: 'application/x-protobuf',
    userAgent: 'sluice-test',
    now: () => Date.now(),
    ...options,
  })
  cleanups.push(() => made.close())
  return made
}

const send = (one: Client, body = Uint8Array.of(1, 2), timeoutMs = 5000): Promise<CallResult> =>
  one.call('traces', [body], { timeoutMs })

describe('redirects', () => {
  test.each([307, 308])('%i is followed with the same method and body', async (status) => {
    const target = await peer()
    const first = await peer((response) => response.writeHead(status, { location: `${target.url}/x?y=1` }).end())
    expect((await send(client(`${first.url}/v1/traces`))).ok).toBe(true)
    expect(target.received.map(({ url, body }) => [url, [...body]])).toEqual([['/x?y=1', [1, 2]]])
  })

  test('to another server leave the credentials behind', async () => {
    const target = await peer()
    const first = await peer((response) => response.writeHead(307, { location: `${target.url}/` }).end())
    const headers = { authorization: 'Bearer a', cookie: 'b=1', 'x-scope': 'c' }
    expect((await send(client(first.url, { headers }))).ok).toBe(true)
    expect(first.received[0]!.headers).toMatchObject(headers)
    expect(target.received[0]!.headers).toMatchObject({ 'x-scope': 'c' })
    expect(target.received[0]!.headers).not.toHaveProperty('authorization')
    expect(target.received[0]!.headers).not.toHaveProperty('cookie')
  })

  test('to the same server keep them', async () => {
    const first = await peer((response, { url }) =>
      url === '/a' ? response.writeHead(307, { location: '/b' }).end() : response.end(),
    )
    expect((await send(client(`${first.url}/a`, { headers: { authorization: 'Bearer a' } }))).ok).toBe(true)
    expect(first.received.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/a', 'Bearer a'],
      ['/b', 'Bearer a'],
    ])
  })

  test.each([301, 302, 303])('%i, which would become a GET and lose the data, is a failure', async (status) => {
    const target = await peer()
    const first = await peer((response) => response.writeHead(status, { location: `${target.url}/` }).end())
    expect(await send(client(first.url))).toMatchObject({
      ok: false,
      httpStatus: status,
      status: { message: `HTTP ${status}: redirected to ${target.url}/, which as the endpoint may work` },
    })
    expect(target.received).toEqual([])
  })

  test('in a circle end after ten', async () => {
    const first = await peer((response) => response.writeHead(307, { location: '/again' }).end())
    expect(await send(client(first.url))).toMatchObject({ ok: false, httpStatus: 307 })
    expect(first.received).toHaveLength(11)
  })
})

describe('connections', () => {
  const slow = (response: http.ServerResponse): void => void setTimeout(() => response.end(), 30)
  const many = (one: Client, n: number): Promise<CallResult[]> =>
    Promise.all(Array.from({ length: n }, () => send(one)))

  test('stay open for the next request', async () => {
    const server = await peer(slow)
    const one = client(server.url)
    await many(one, 5)
    // The pool learns that they are free a moment after their answers.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await many(one, 5)
    expect(server.connections).toBe(5)
  })

  test.each([{ maxIdle: 2 }, { maxIdlePerOrigin: 2 }])('beyond %j are closed after their request', async (limit) => {
    const server = await peer(slow)
    await many(client(server.url, limit), 5)
    expect(server.connections).toBe(5)
    await expect.poll(() => server.open.size).toBe(2)
  })

  test('are no more than they may be; requests wait for their turn', async () => {
    const server = await peer(slow)
    const results = await many(client(server.url, { maxConnections: 2 }), 6)
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true, true, true])
    expect(server.connections).toBe(2)
  })

  test('carry one request each without keep-alives', async () => {
    const server = await peer()
    const one = client(server.url, { keepAlives: false })
    await send(one)
    await send(one)
    expect(server.connections).toBe(2)
    expect(server.received[0]!.headers.connection).toBe('close')
  })

  test('are closed when idle for long enough', async () => {
    const server = await peer()
    // undici takes a second off what a server announces; 1 s is as short as its timers go.
    await send(client(server.url, { idleTimeoutMs: 1000 }))
    expect(server.open.size).toBe(1)
    await expect.poll(() => server.open.size, { timeout: 5000 }).toBe(0)
  })
})

describe('a proxy', () => {
  test('is asked for the absolute URL of an http server, with its credentials', async () => {
    const server = await peer()
    const proxy = await testProxy()
    cleanups.push(() => proxy.close())
    const proxyUrl = new URL(proxy.url.replace('//', '//me:p%40ss@'))
    expect((await send(client(`${server.url}/v1/traces`, { proxyUrl }))).ok).toBe(true)
    expect(proxy.asked).toEqual([`${server.url}/v1/traces me:p@ss`])
    expect(server.received).toHaveLength(1)
  })

  test('of the environment is used but for what NO_PROXY names', async () => {
    const server = await peer()
    const proxy = await testProxy()
    cleanups.push(() => proxy.close())
    const port = new URL(server.url).port
    // A name that nobody can look up: the proxy of the test takes every name for loopback. Plain HTTP would need that too.
    const environment = new ProxyEnvironment({ HTTPS_PROXY: proxy.url, NO_PROXY: 'direct.test' })
    expect(await send(client(`https://backend.test:${port}/`, { environment }))).toMatchObject({ ok: false })
    expect(proxy.asked.every((each) => each === `CONNECT backend.test:${port}`)).toBe(true)
    const asked = proxy.asked.length
    expect(asked).toBeGreaterThan(0)
    expect(await send(client(`https://direct.test:${port}/`, { environment }))).toMatchObject({
      ok: false,
      status: { message: expect.stringContaining('ENOTFOUND') },
    })
    expect((await send(client(server.url, { environment }))).ok).toBe(true)
    expect(proxy.asked).toHaveLength(asked)
  })
})

describe('signing', () => {
  test('makes the headers of each request, and sees the context of the batch', async () => {
    const server = await peer()
    let n = 0
    const one = client(server.url, {
      headers: { 'x-old': '1' },
      sign: (sent, context) => ({ ...sent, authorization: `Bearer ${++n} of ${context?.metadata?.['tenant']?.[0]}` }),
    })
    const context = { arrivedAt: 0, metadata: { tenant: ['a'] } }
    for (const _ of [1, 2]) await one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000, context })
    expect(server.received.map(({ headers }) => [headers.authorization, headers['x-old']])).toEqual([
      ['Bearer 1 of a', '1'],
      ['Bearer 2 of a', '1'],
    ])
  })

  test('that fails fails the call before it is sent, to be tried again', async () => {
    const server = await peer()
    const one = client(server.url, { sign: () => Promise.reject(new Error('the token endpoint is away')) })
    expect(await send(one)).toMatchObject({
      ok: false,
      status: { message: 'no credentials: the token endpoint is away' },
      connection: 'ECREDENTIALS',
    })
    expect(server.received).toEqual([])
  })

  test('that gives what no header can be fails for good, and shows nothing of it', async () => {
    const server = await peer()
    const one = client(server.url, { sign: () => ({ authorization: 'secret\n' }) })
    const result = await send(one)
    expect(result).toMatchObject({ ok: false, status: { code: GRPC.INTERNAL } })
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

test('cookies come back to the server that set them', async () => {
  const server = await peer((response, { headers }) => {
    if (headers.cookie === undefined) response.setHeader('set-cookie', 'lb=node-7; Path=/')
    response.end()
  })
  const one = client(server.url, { cookies: true })
  await send(one)
  await send(one)
  const without = client(server.url)
  await send(without)
  await send(without)
  expect(server.received.map(({ headers }) => headers.cookie)).toEqual([undefined, 'lb=node-7', undefined, undefined])
})

describe('HTTP/2', () => {
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
  ): Promise<SecurePeer> {
    const server = http2.createSecureServer({
      cert: certificates.read(certificates.server.cert),
      key: certificates.read(certificates.server.key),
      allowHTTP1,
    })
    const found: SecurePeer = { url: '', versions: [], lengths: [], sessions: [] }
    server.on('session', (session) => found.sessions.push(session))
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

  /** Passes on to a server; while `mute` it takes bytes in and gives none out. */
  async function mutable(url: string): Promise<{ url: string; mute: boolean; connections: number }> {
    const target = new URL(url)
    const port = Number(target.port)
    const between = { url: '', mute: false, connections: 0 }
    const server = net.createServer((socket) => {
      between.connections++
      const onward = net.connect(port, '127.0.0.1')
      socket.on('error', () => {})
      onward.on('error', () => {})
      const first = between.connections === 1
      socket.on('data', (part) => onward.write(part))
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
})
