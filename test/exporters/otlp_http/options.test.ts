// Options of the exporter that reach the wire: connections, proxies, cookies, who signs.
import * as http from 'node:http'
import * as http2 from 'node:http2'
import type * as net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_http/otlp_http.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { Consumer } from '../../../src/component/delivery.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { type Certificates, makeCertificates } from '../../transport/support/certificates.ts'
import { configured } from '../../transport/support/configured.ts'
import { testProxy } from '../../transport/support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Server {
  readonly url: string
  readonly headers: http.IncomingHttpHeaders[]
  readonly open: Set<net.Socket>
  connections: number
}

async function server(answer: (response: http.ServerResponse) => void = (response) => response.end()): Promise<Server> {
  const found: Server = { url: '', headers: [], open: new Set(), connections: 0 }
  const listener = http.createServer((request, response) => {
    found.headers.push(request.headers)
    request.resume()
    request.on('end', () => answer(response))
  })
  listener.on('connection', (socket: net.Socket) => {
    found.connections++
    found.open.add(socket)
    socket.on('close', () => found.open.delete(socket))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    listener.close()
    listener.closeAllConnections()
  })
  return Object.assign(found, { url: `http://127.0.0.1:${(listener.address() as net.AddressInfo).port}` })
}

async function run(config: object, extensions: Record<string, object> = {}): Promise<Component & Consumer> {
  const ctx = testContext({
    kind: 'exporter',
    id: 'otlp_http',
    signals: ['traces'],
    extensions: extensions as Record<string, Component>,
  })
  const direct = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
  const exporter = await definition.create(configured(definition, { ...direct, ...config }), ctx)
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  await exporter.start!()
  return exporter
}

async function send(exporter: Consumer, times = 1): Promise<Tracked[]> {
  const { chunks, items } = someBatches('traces', 1)[0]!
  const all = Array.from({ length: times }, () => {
    const tracked = track(makeBatch('traces', chunks, items, { arrivedAt: 0, metadata: { 'x-tenant': ['a'] } }))
    exporter.consume(tracked.delivery)
    return tracked
  })
  await expect.poll(() => all.every(({ outcome }) => outcome !== undefined), { timeout: 10_000 }).toBe(true)
  return all
}

const slowly = (response: http.ServerResponse): void => void setTimeout(() => response.end(), 30)

test.each<[object, number, number]>([
  [{}, 5, 5],
  [{ max_conns_per_host: 2 }, 2, 2],
  [{ max_idle_conns: 3 }, 5, 3],
  [{ max_idle_conns_per_host: 1 }, 5, 1],
  [{ disable_keep_alives: true }, 5, 0],
])('%j: five requests at a time are sent over %i connections, of which %i stay', async (config, connections, stay) => {
  const found = await server(slowly)
  const sent = await send(await run({ endpoint: found.url, ...config }), 5)
  expect(sent.map(({ events }) => events)).toEqual(sent.map(() => ['ok']))
  expect(found.connections).toBe(connections)
  await expect.poll(() => found.open.size).toBe(stay)
})

test('idle_conn_timeout closes a connection without requests', async () => {
  const found = await server()
  await send(await run({ endpoint: found.url, idle_conn_timeout: '1s' }))
  expect(found.open.size).toBe(1)
  await expect.poll(() => found.open.size, { timeout: 5000 }).toBe(0)
})

test('cookies.enabled sends back what the server set', async () => {
  const found = await server((response) => response.setHeader('set-cookie', 'lb=7; Path=/').end())
  for (const cookies of [{ enabled: true }, { enabled: false }]) {
    const exporter = await run({ endpoint: found.url, cookies })
    await send(exporter)
    await send(exporter)
  }
  expect(found.headers.map(({ cookie }) => cookie)).toEqual([undefined, 'lb=7', undefined, undefined])
})

test('proxy_url leads through a proxy', async () => {
  const found = await server()
  const proxy = await testProxy()
  cleanups.push(() => proxy.close())
  const proxyUrl = proxy.url.replace('//', '//me:hidden@')
  const [sent] = await send(await run({ endpoint: found.url, proxy_url: proxyUrl }))
  expect(sent!.events).toEqual(['ok'])
  expect(proxy.asked).toEqual([`${found.url}/v1/traces me:hidden`])
})

test('auth and middlewares are asked for every request, with the context of the batch', async () => {
  const found = await server()
  let n = 0
  const auth = {
    headers: (context: { metadata: Record<string, string[]> }, sent: Record<string, string>) => ({
      authorization: `${++n} ${context.metadata['x-tenant']![0]} ${sent['x-debug']}`,
      'x-debug': undefined,
    }),
    // Over HTTP the scheme of the URL decides.
    requiresTls: true,
  }
  const more = { headers: () => ({ 'x-more': 'm' }) }
  const exporter = await run(
    {
      endpoint: found.url,
      headers: { 'X-Debug': '1' },
      auth: { authenticator: 'auth' },
      middlewares: [{ id: 'more' }],
    },
    { auth, more },
  )
  await send(exporter)
  await send(exporter)
  expect(found.headers.map((each) => [each.authorization, each['x-debug'], each['x-more']])).toEqual([
    ['1 a 1', undefined, 'm'],
    ['2 a 1', undefined, 'm'],
  ])
})

describe('force_attempt_http2', () => {
  let certificates: Certificates
  beforeAll(() => {
    certificates = makeCertificates()
  })
  afterAll(() => certificates.remove())

  test.each<[object, string]>([
    [{}, '2.0'],
    [{ http2_read_idle_timeout: '1s', http2_ping_timeout: '1s' }, '2.0'],
    [{ force_attempt_http2: false }, '1.1'],
    [{ disable_keep_alives: true }, '1.1'],
  ])('%j speaks HTTP/%s with a server that offers both', async (config, version) => {
    const versions: string[] = []
    const sessions: http2.ServerHttp2Session[] = []
    const secure = http2.createSecureServer(
      {
        cert: certificates.read(certificates.server.cert),
        key: certificates.read(certificates.server.key),
        allowHTTP1: true,
      },
      (request, response) => {
        versions.push(request.httpVersion)
        request.resume()
        response.end()
      },
    )
    secure.on('session', (session) => sessions.push(session))
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => {
      for (const session of sessions) session.destroy()
      secure.close()
    })
    const endpoint = `https://localhost:${(secure.address() as net.AddressInfo).port}`
    const [sent] = await send(await run({ endpoint, tls: { ca_file: certificates.ca }, ...config }))
    expect(sent!.events).toEqual(['ok'])
    expect(versions).toEqual([version])
  })
})
