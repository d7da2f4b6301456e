// Options of the exporter that reach the wire: who signs, who is asked for, through what, and to which of several addresses.
import type * as http2 from 'node:http2'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_grpc/otlp_grpc.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { Consumer } from '../../../src/component/delivery.ts'
import { makeBatch } from '../../../src/otlp/batch.ts'
import { PREFIX_LENGTH } from '../../../src/transport/grpc-message.ts'
import { someBatches } from '../../contract/support/data.ts'
import { writeProtobufjs } from '../../otlp/support/oracles.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { configured } from '../../transport/support/configured.ts'
import { answerOk, type Http2Peer, http2Peer } from '../../transport/support/http2-peer.ts'
import { testProxy } from '../../transport/support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Seen extends Http2Peer {
  readonly headers: http2.IncomingHttpHeaders[]
}

async function peer(...args: Parameters<typeof http2Peer>): Promise<Seen> {
  const headers: http2.IncomingHttpHeaders[] = []
  const made = await http2Peer((stream, received) => {
    headers.push(received)
    answerOk(stream)
  }, args[1])
  cleanups.push(() => made.close())
  return Object.assign(made, { headers })
}

async function run(config: object, extensions: Record<string, object> = {}): Promise<Component & Consumer> {
  const ctx = testContext({
    kind: 'exporter',
    id: 'otlp_grpc',
    signals: ['traces'],
    extensions: extensions as Record<string, Component>,
  })
  const direct = { tls: { insecure: true }, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
  const exporter = await definition.create(configured(definition, { ...direct, ...config }), ctx)
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  await exporter.start!()
  return exporter
}

async function send(exporter: Consumer): Promise<Tracked> {
  const { chunks, items } = someBatches('traces', 1)[0]!
  const metadata = { 'x-tenant': ['a'] }
  const tracked = track(makeBatch('traces', chunks, items, { arrivedAt: 0, metadata }))
  exporter.consume(tracked.delivery)
  await expect.poll(() => tracked.outcome, { timeout: 10_000 }).toBeDefined()
  return tracked
}

describe('auth and middlewares', () => {
  test('are asked for every request, in order, with the context of the batch and the headers so far', async () => {
    const server = await peer()
    let n = 0
    const extensions = {
      auth: {
        headers: (context: { metadata: Record<string, string[]> }, sent: object) => ({
          authorization: `${++n} ${context.metadata['x-tenant']![0]} ${JSON.stringify(sent)}`,
          'x-debug': undefined,
        }),
      },
      more: {
        headers: async (_context: unknown, sent: Record<string, string>) => ({ seen: Object.keys(sent).join() }),
      },
    }
    const exporter = await run(
      {
        endpoint: `127.0.0.1:${server.port}`,
        headers: { 'X-Debug': '1' },
        auth: { authenticator: 'auth' },
        middlewares: [{ id: 'more' }],
      },
      extensions,
    )
    for (const _ of [1, 2]) expect((await send(exporter)).events).toEqual(['ok'])
    expect(server.headers.map(({ authorization, seen, 'x-debug': debug }) => [authorization, seen, debug])).toEqual([
      ['1 a {"x-debug":"1"}', 'authorization', undefined],
      ['2 a {"x-debug":"1"}', 'authorization', undefined],
    ])
  })

  test('that fail keep the request back, to be tried again', async () => {
    const server = await peer()
    const auth = { headers: () => Promise.reject(new Error('no token yet')) }
    const exporter = await run({ endpoint: `127.0.0.1:${server.port}`, auth: { authenticator: 'auth' } }, { auth })
    expect((await send(exporter)).outcome).toMatchObject({
      failure: { verdict: 'retry', message: expect.stringContaining('no credentials: no token yet') },
    })
    expect(server.calls).toBe(0)
  })

  test.each<[object, Record<string, object>, string]>([
    [
      { auth: { authenticator: 'auth' } },
      {},
      'auth.authenticator: no extension "auth" runs; add it to service.extensions',
    ],
    [{ middlewares: [{ id: 'auth' }] }, { auth: {} }, 'middlewares[0].id: the extension "auth" gives no credentials'],
    [
      { auth: { authenticator: 'auth' } },
      { auth: { headers: () => ({}), requiresTls: true } },
      'auth.authenticator: "auth" gives its secrets to encrypted connections only; take tls.insecure out',
    ],
  ])('%j cannot be: it does not start', async (config, extensions, message) => {
    await expect(run({ endpoint: '127.0.0.1:1', ...config }, extensions)).rejects.toThrow(message)
  })
})

test.each<[object, string]>([
  [{}, 'ENDPOINT'],
  [{ authority: 'gateway.test' }, 'gateway.test'],
])('%j asks for %s', async (config, authority) => {
  const server = await peer()
  await send(await run({ endpoint: `127.0.0.1:${server.port}`, ...config }))
  expect(server.headers[0]![':authority']).toBe(authority.replace('ENDPOINT', `127.0.0.1:${server.port}`))
})

test('user_agent takes the place of its own', async () => {
  const server = await peer()
  await send(await run({ endpoint: `127.0.0.1:${server.port}`, user_agent: 'mine/1' }))
  expect(server.headers[0]!['user-agent']).toBe('mine/1')
})

test('wait_for_ready fails a request no sooner than its time is up', async () => {
  const gone = await http2Peer()
  await gone.close()
  const exporter = await run({ endpoint: `127.0.0.1:${gone.port}`, wait_for_ready: true, timeout: '300ms' })
  expect((await send(exporter)).outcome).toMatchObject({
    failure: { reason: 'timeout', message: expect.stringContaining('last failure to connect: connect ECONNREFUSED') },
  })
})

test('max_request_size cuts what is larger, before compression', async () => {
  const lengths: number[] = []
  const server = await http2Peer((stream) => {
    let length = 0
    stream.on('data', (part: Buffer) => {
      length += part.length
    })
    stream.on('end', () => lengths.push(length - PREFIX_LENGTH))
    answerOk(stream)
  })
  cleanups.push(() => server.close())
  const span = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(1), name: 'work' }
  const request = writeProtobufjs('traces', { resourceSpans: [{ scopeSpans: [{ spans: Array(100).fill(span) }] }] })
  const config = { endpoint: `127.0.0.1:${server.port}`, compression: 'none', max_request_size: 1000 }
  const tracked = track(makeBatch('traces', [request], 100, { arrivedAt: 0 }))
  ;(await run(config)).consume(tracked.delivery)
  await expect.poll(() => tracked.events).toEqual(['ok'])
  expect(Math.max(...lengths)).toBeLessThanOrEqual(1000)
  // No more requests than it takes.
  expect(lengths).toHaveLength(Math.ceil(request.length / 1000))
})

test('HTTPS_PROXY is used for names, but for those in NO_PROXY', async () => {
  const server = await peer()
  const proxy = await testProxy()
  cleanups.push(() => proxy.close())
  const { HTTPS_PROXY, NO_PROXY } = process.env
  const restore = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  cleanups.push(() => {
    restore('HTTPS_PROXY', HTTPS_PROXY)
    restore('NO_PROXY', NO_PROXY)
  })
  process.env['HTTPS_PROXY'] = proxy.url
  process.env['NO_PROXY'] = '.direct.test'
  expect((await send(await run({ endpoint: `backend.test:${server.port}` }))).events).toEqual(['ok'])
  expect(proxy.asked).toEqual([`CONNECT backend.test:${server.port}`])
  expect((await send(await run({ endpoint: `127.0.0.1:${server.port}` }))).events).toEqual(['ok'])
  const direct = await send(await run({ endpoint: `a.direct.test:${server.port}` }))
  expect(direct.outcome).toMatchObject({ failure: { message: expect.stringContaining('a.direct.test') } })
  expect(proxy.asked).toHaveLength(1)
})

describe('balancer_name', () => {
  test.each<[string, number[]]>([
    ['round_robin', [3, 3]],
    ['pick_first', [6, 0]],
    ['', [6, 0]],
  ])('"%s" over two addresses', async (balancer, calls) => {
    const first = await peer(undefined, { host: '127.0.0.1' })
    const second = await peer(undefined, { host: '127.0.0.2', port: first.port })
    const endpoint = `ipv4:127.0.0.1:${first.port},127.0.0.2:${first.port}`
    const exporter = await run({ endpoint, balancer_name: balancer })
    await send(exporter)
    await expect.poll(() => first.sessions.length + second.sessions.length).toBe(balancer === 'round_robin' ? 2 : 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    for (const each of [first, second]) each.calls = 0
    for (let i = 0; i < 6; i++) await send(exporter)
    expect([first.calls, second.calls]).toEqual(calls)
  })
})
