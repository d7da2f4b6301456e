import * as http from 'node:http'
import type * as net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ProxyEnvironment } from '../../src/transport/proxy-environment.ts'
import { type CallResult, type Client, GRPC } from '../../src/transport/unary.ts'
import { client, send } from './support/http-out.ts'
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

describe('redirects', () => {
  test('to ever other servers are followed, with connections to the last ones', async () => {
    const targets = await Promise.all(Array.from({ length: 20 }, () => peer()))
    let next = 0
    const from = await peer((to) => to.writeHead(307, { location: targets[next++]!.url }).end())
    const one = client(from.url)
    for (const target of targets) {
      expect((await send(one)).ok).toBe(true)
      expect(target.received).toHaveLength(1)
    }
    // Sixteen servers at most, of which one redirects.
    await expect.poll(() => targets.filter(({ open }) => open.size > 0).length).toBe(15)
    expect(from.connections).toBe(1)
  })

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
