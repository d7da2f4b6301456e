// What the exporter does with every answer that a server can give, row by row: tried again, and when; given up; how it is booked. The
// server does what the row says to the first request and takes the second. Time is the test's own.
import * as http from 'node:http'
import * as net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_http/otlp_http.ts'
import { encodeExportResponse } from '../../../src/transport/export-response.ts'
import { encodeStatus } from '../../../src/transport/rpc-status.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { configured } from '../../transport/support/configured.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Script = (response: http.ServerResponse, now: number) => void

interface Run {
  readonly tracked: Tracked
  readonly ctx: TestContext
  /** Requests that came. */
  requests: number
}

async function listen(server: http.Server | net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return (server.address() as net.AddressInfo).port
}

/** Sends one batch to a server that does what `first` says to the first request and takes the others. */
async function run(first: Script, more: object = {}): Promise<Run> {
  const ctx = testContext({ kind: 'exporter', id: 'otlp_http', signals: ['traces'] })
  const found: Run = { tracked: track(someBatches('traces', 1)[0]!), ctx, requests: 0 }
  const server = http.createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (++found.requests === 1) first(response, ctx.clock.now())
      else response.end()
    })
  })
  await send(`http://127.0.0.1:${await listen(server)}`, found, more)
  return found
}

async function send(endpoint: string, { tracked, ctx }: Run, more: object): Promise<void> {
  const config = {
    endpoint,
    sending_queue: { enabled: false },
    retry_on_failure: { initial_interval: '5s', randomization_factor: 0 },
    ...more,
  }
  const exporter = await definition.create(configured(definition, config), ctx)
  await exporter.start!()
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  exporter.consume(tracked.delivery)
}

const ended = ({ tracked }: Run) => expect.poll(() => tracked.outcome, { timeout: 10_000 }).toBeDefined()

async function retriedAfter(one: Run, ms: number): Promise<void> {
  await expect
    .poll(() => (one.tracked.outcome === undefined ? one.ctx.clock.next : 'settled'), { timeout: 10_000 })
    .toSatisfy((next) => typeof next === 'number' && next > 1000)
  await one.ctx.clock.advance(ms - 1)
  expect(one.tracked.outcome).toBeUndefined()
  expect(one.requests).toBe(1)
  await one.ctx.clock.advance(1)
  await ended(one)
  expect(one.tracked.events).toEqual(['ok'])
  expect(one.requests).toBe(2)
}

const status =
  (code: number, headers: http.OutgoingHttpHeaders = {}): Script =>
  (response) =>
    response.writeHead(code, headers).end()

describe('a status', () => {
  test.each([429, 502, 503, 504])('%i is tried again after the back-off', async (code) => {
    await retriedAfter(await run(status(code)), 5000)
  })

  test.each([300, 304, 400, 401, 403, 404, 405, 408, 409, 415, 418, 421, 500, 501, 505, 507, 511, 599])(
    '%i is final',
    async (code) => {
      const one = await run(status(code))
      await ended(one)
      expect(one.tracked.events).toEqual(['reject:rejected'])
      expect(one.requests).toBe(1)
    },
  )

  test('413 is answered with smaller requests, at once', async () => {
    const one = await run(status(413))
    await ended(one)
    expect(one.tracked.events).toEqual(['ok'])
    // The refused one, and its two halves.
    expect(one.requests).toBe(3)
  })

  test.each<[string, number, string, number]>([
    ['429 with Retry-After in seconds', 429, '12', 12_000],
    ['503 with Retry-After in seconds', 503, '7', 7000],
    ['503 with a shorter Retry-After', 503, '1', 5000],
    ['503 with Retry-After: 0', 503, '0', 5000],
    ['503 with a Retry-After of words', 503, 'later', 5000],
    ['503 with a negative Retry-After', 503, '-5', 5000],
    ['502, whose Retry-After means nothing', 502, '60', 5000],
    ['504, whose Retry-After means nothing', 504, '60', 5000],
  ])('%s', async (_name, code, header, wait) => {
    await retriedAfter(await run(status(code, { 'retry-after': header })), wait)
  })

  test.each([429, 503])('%i with Retry-After as a date', async (code) => {
    const one = await run((response, now) =>
      response.writeHead(code, { 'retry-after': new Date(now + 90_000).toUTCString() }).end(),
    )
    await retriedAfter(one, 90_000)
  })

  test('503 with a date that has passed', async () => {
    const one = await run(status(503, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }))
    await retriedAfter(one, 5000)
  })

  test('503 that asks for more time than there is gives up at once', async () => {
    const one = await run(status(503, { 'retry-after': '61' }), {
      retry_on_failure: { initial_interval: '5s', max_elapsed_time: '60s' },
    })
    await ended(one)
    expect(one.tracked.events).toEqual(['retry:retries_exhausted'])
  })
})

describe('what a body says', () => {
  test.each<[string, string, string | Uint8Array]>([
    ['a protobuf Status', 'application/x-protobuf', encodeStatus({ code: 3, message: 'no such tenant' })],
    ['a JSON Status', 'application/json', '{"code":3,"message":"no such tenant"}'],
    ['text', 'text/plain; charset=utf-8', 'no such\n  tenant\n'],
  ])('as %s reaches people', async (_name, type, body) => {
    const one = await run((response) => response.writeHead(400, { 'content-type': type }).end(body))
    await ended(one)
    expect(one.tracked.outcome).toMatchObject({
      failure: { message: expect.stringMatching(/answered HTTP 400: no such tenant$/) },
    })
  })

  test('as garbage is left out', async () => {
    const one = await run((response) =>
      response.writeHead(400, { 'content-type': 'application/x-protobuf' }).end(Buffer.from([0xff, 0xff])),
    )
    await ended(one)
    expect(one.tracked.outcome).toMatchObject({ failure: { message: expect.stringMatching(/answered HTTP 400$/) } })
  })
})

describe('success', () => {
  test.each([200, 201, 202, 204])('is %i', async (code) => {
    const one = await run(status(code))
    await ended(one)
    expect(one.tracked.events).toEqual(['ok'])
  })

  test('with a partial success is booked as such, logged, and not sent again', async () => {
    const body = encodeExportResponse({ rejected: 1, message: 'too old' })
    const one = await run((response) => response.setHeader('content-type', 'application/x-protobuf').end(body))
    await ended(one)
    expect(one.tracked.events).toEqual(['ok:1'])
    expect(one.requests).toBe(1)
    expect(one.ctx.lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'warn the peer refused 1 item of 1 batch for good: too old  (EXPORT_PARTIAL_SUCCESS)',
    ])
  })

  test.each<[string, string, string | Uint8Array]>([
    ['protobuf', 'application/x-protobuf', Buffer.from([0xff])],
    ['JSON', 'application/json', '<html>'],
    ['JSON', 'application/json', '[1]'],
  ])('with a body that is no %s is final: the data was taken', async (_name, type, body) => {
    const one = await run((response) => response.setHeader('content-type', type).end(body))
    await ended(one)
    expect(one.tracked.outcome).toMatchObject({ ok: false, failure: { verdict: 'reject' } })
    expect(one.requests).toBe(1)
  })
})

describe('no answer', () => {
  test('in time is tried again', async () => {
    await retriedAfter(await run(() => {}, { timeout: '50ms' }), 5000)
  })

  test('because the connection broke is tried again', async () => {
    await retriedAfter(await run((response) => response.socket!.destroy()), 5000)
  })

  test('because the connection broke within the answer is tried again', async () => {
    const one = await run((response) => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': '100' })
      response.write('x')
      setTimeout(() => response.socket!.destroy(), 10)
    })
    await retriedAfter(one, 5000)
  })

  test('within the time, though it began, is tried again', async () => {
    const begun: Script = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': '100' })
      response.write('x')
    }
    await retriedAfter(await run(begun, { timeout: '80ms' }), 5000)
  })
})

describe('a server that is something else', () => {
  async function said(onConnection: (socket: net.Socket) => void, scheme = 'http', more: object = {}): Promise<string> {
    const sockets = new Set<net.Socket>()
    const server = net.createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      onConnection(socket)
    })
    const port = await listen(server)
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy()
    })
    const ctx = testContext({ kind: 'exporter', id: 'otlp_http', signals: ['traces'] })
    const one: Run = { tracked: track(someBatches('traces', 1)[0]!), ctx, requests: 0 }
    await send(`${scheme}://127.0.0.1:${port}`, one, { retry_on_failure: { enabled: false }, ...more })
    await ended(one)
    const { outcome } = one.tracked
    if (outcome === undefined || outcome.ok) throw new Error('it was taken')
    expect(outcome.failure.verdict).toBe('retry')
    return outcome.failure.message
  }

  test('one that speaks gRPC, and so HTTP/2', async () => {
    // A SETTINGS frame is what such servers say first.
    expect(await said((socket) => socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])))).toMatch(
      /does not answer in HTTP\/1\.1.*is this its HTTP port\? 4317 is usually the gRPC one/,
    )
  })

  test('one that speaks no TLS', async () => {
    const message = await said((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'https')
    expect(message).toMatch(/does not speak TLS; for clear text set .* an http:\/\/ endpoint \(HTTP\)/)
  })

  test('one that wants TLS', async () => {
    // The alert that TLS servers answer plain HTTP with.
    expect(await said((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])))).toMatch(
      /does not answer in HTTP\/1\.1.*if it expects TLS, write https:\/\//,
    )
  })

  test('one that closes at once', async () => {
    expect(await said((socket) => socket.end())).toMatch(/closed the connection without an answer/)
  })

  test('one that takes connections and is silent, until the time is up', async () => {
    expect(await said(() => {}, 'http', { timeout: '80ms' })).toMatch(/no answer within 0\.1 s$/)
  })
})
