import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import * as zlib from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_http/otlp_http.ts'
import { sendResult } from '../../../exporters/otlp_http/send-result.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { Consumer, Failure } from '../../../src/component/delivery.ts'
import { makeBatch, type Signal } from '../../../src/otlp/batch.ts'
import { decompress } from '../../../src/transport/compression.ts'
import { encodeExportResponse } from '../../../src/transport/export-response.ts'
import { encodeStatus } from '../../../src/transport/rpc-status.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { checked, configured } from '../../transport/support/configured.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Received {
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

async function peer(
  answer: (response: http.ServerResponse, received: Received) => void = (response) => response.end(),
): Promise<{ url: string; received: Received[]; close(): void }> {
  const received: Received[] = []
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = { url: request.url!, headers: request.headers, body: Buffer.concat(parts) }
      received.push(one)
      answer(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  cleanups.push(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, close }
}

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }

async function run(config: object): Promise<Component & Consumer> {
  const ctx = testContext({ kind: 'exporter', id: 'otlp_http', signals: ['traces', 'metrics', 'logs', 'profiles'] })
  const exporter = await definition.create(configured(definition, { ...DIRECT, ...config }), ctx)
  await exporter.start!()
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  return exporter
}

async function settled(exporter: Consumer, signal: Signal = 'traces'): Promise<Tracked> {
  const tracked = track(someBatches(signal, 1)[0]!)
  exporter.consume(tracked.delivery)
  await expect.poll(() => tracked.outcome, { timeout: 10_000 }).toBeDefined()
  return tracked
}

async function failureOf(exporter: Consumer): Promise<Failure> {
  const { outcome } = await settled(exporter)
  if (outcome === undefined || outcome.ok) throw new Error('it was taken')
  return outcome.failure
}

describe('what is sent', () => {
  test('credentials in the URL become Basic, as with Go, and are shown to nobody', async () => {
    const { url, received } = await peer((response) => response.writeHead(401).end())
    const endpoint = url.replace('//', '//me:hunter%402@')
    const { message } = await failureOf(
      await run({ traces_endpoint: `${endpoint}/v1/traces?token=hidden`, compression: 'none' }),
    )
    expect(received[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:hunter@2').toString('base64')}`)
    expect(received[0]!.url).toBe('/v1/traces?token=hidden')
    expect(message).toContain(`${url}/v1/traces answered HTTP 401`)
    expect(message).not.toMatch(/hunter|hidden/)
  })

  test('a configured authorization wins over credentials in the URL', async () => {
    const { url, received } = await peer()
    await settled(await run({ endpoint: url.replace('//', '//me:hunter2@'), headers: { Authorization: 'Own' } }))
    expect(received[0]!.headers.authorization).toBe('Own')
  })

  test.each([
    ['gzip', 'gzip', zlib.gunzipSync],
    ['zstd', 'zstd', zlib.zstdDecompressSync],
    ['deflate', 'deflate', zlib.inflateSync],
    ['zlib', 'zlib', zlib.inflateSync],
    ['snappy', 'snappy', (bytes: Buffer) => decompress('snappy', bytes, { limit: 1 << 20 })],
    ['x-snappy-framed', 'x-snappy-framed', (bytes: Buffer) => decompress('x-snappy-framed', bytes, { limit: 1 << 20 })],
    ['lz4', 'lz4', (bytes: Buffer) => decompress('lz4', bytes, { limit: 1 << 20 })],
    ['none', undefined, (bytes: Buffer) => bytes],
  ] as const)('arrives byte for byte, several chunks as one body, %s', async (compression, coding, unpack) => {
    const server = await peer()
    const exporter = await run({ endpoint: server.url, compression })
    const chunks = someBatches('logs', 3).flatMap((batch) => batch.chunks)
    const tracked = track(makeBatch('logs', chunks, 3, { arrivedAt: 0 }))
    exporter.consume(tracked.delivery)
    await expect.poll(() => tracked.events).toEqual(['ok'])
    const { url, headers, body } = server.received[0]!
    expect(url).toBe('/v1/logs')
    expect(headers['content-type']).toBe('application/x-protobuf')
    expect(headers['content-encoding']).toBe(coding)
    expect(headers['content-length']).toBe(String(body.length))
    expect(Buffer.compare(unpack(body), Buffer.concat(chunks))).toBe(0)
  })

  test('as JSON', async () => {
    const server = await peer()
    const exporter = await run({ endpoint: server.url, encoding: 'json', compression: 'none' })
    expect((await settled(exporter)).events).toEqual(['ok'])
    const { headers, body } = server.received[0]!
    expect(headers['content-type']).toBe('application/json')
    expect(Object.keys(JSON.parse(body.toString()) as object)).toEqual(['resourceSpans'])
  })

  test('goes to the URL of its signal, as it is, before the base URL', async () => {
    const server = await peer()
    const exporter = await run({
      endpoint: `${server.url}/base/`,
      traces_endpoint: `${server.url}/my/traces?tenant=a`,
      headers: { Authorization: 'Bearer x' },
    })
    for (const signal of ['traces', 'metrics', 'profiles'] as const) await settled(exporter, signal)
    expect(server.received.map(({ url }) => url)).toEqual([
      '/my/traces?tenant=a',
      '/base/v1/metrics',
      '/base/v1development/profiles',
    ])
    expect(server.received[0]!.headers['authorization']).toBe('Bearer x')
    expect(server.received[0]!.headers['user-agent']).toMatch(/^Sluice\/\d+\.\d+\.\d+ \(\w+\/\w+\)$/)
  })

  test('may go to a URL of its own for every signal', async () => {
    const server = await peer()
    const own = (signal: string): object => ({ [`${signal}_endpoint`]: `${server.url}/${signal}` })
    const signals = ['traces', 'metrics', 'logs', 'profiles'] as const
    const exporter = await run(Object.assign({}, ...signals.map(own)))
    for (const signal of signals) await settled(exporter, signal)
    expect(server.received.map(({ url }) => url)).toEqual(signals.map((signal) => `/${signal}`))
  })

  test('of a signal without an endpoint is refused for good', async () => {
    const server = await peer()
    const exporter = await run({ traces_endpoint: server.url })
    expect((await settled(exporter, 'metrics')).events).toEqual(['reject:no_endpoint'])
  })
})

describe('what the server answers', () => {
  test.each<[string, string, Uint8Array | string]>([
    ['protobuf', 'application/x-protobuf', encodeExportResponse({ rejected: 1, message: 'old' })],
    ['JSON', 'application/json; charset=utf-8', '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"old"}}'],
  ])('a partial success in %s', async (_name, type, body) => {
    const server = await peer((response) => response.setHeader('content-type', type).end(body))
    const { outcome } = await settled(await run({ endpoint: server.url }))
    expect(outcome).toEqual({ ok: true, rejected: 1, message: 'old' })
  })

  test.each([
    ['nothing, of any type', 'application/json', ''],
    ['something of another type', 'text/plain', 'thanks'],
    ['an empty JSON object', 'application/json', '{}'],
  ])('success with %s', async (_name, type, body) => {
    const server = await peer((response) => response.setHeader('content-type', type).end(body))
    expect((await settled(await run({ endpoint: server.url }))).events).toEqual(['ok'])
  })

  test.each([
    ['application/x-protobuf', Uint8Array.of(0xff)],
    ['application/json', '<html>'],
  ])('success that is no %s is not sent again', async (type, body) => {
    const server = await peer((response) => response.setHeader('content-type', type).end(body))
    expect(await failureOf(await run({ endpoint: server.url }))).toMatchObject({ verdict: 'reject' })
  })

  test('a failure: its message reaches people, its delay the retries', async () => {
    const server = await peer((response) => {
      response.writeHead(503, { 'content-type': 'application/x-protobuf', 'retry-after': '7' })
      response.end(encodeStatus({ code: 14, message: 'try later' }))
    })
    expect(await failureOf(await run({ endpoint: server.url }))).toMatchObject({
      verdict: 'retry',
      reason: 'unavailable',
      message: expect.stringContaining(`${server.url}/v1/traces answered HTTP 503: try later`),
      retryAfterMs: 7000,
      grpcStatus: 14,
    })
  })

  test('a delay as a date', async () => {
    // Whole seconds: a date has no finer.
    const now = Math.ceil(testContext().clock.now() / 1000) * 1000
    const server = await peer((response) => {
      response.writeHead(429, { 'retry-after': new Date(now + 90_000).toUTCString() }).end()
    })
    const { retryAfterMs } = await failureOf(await run({ endpoint: server.url }))
    expect(retryAfterMs).toBe(now + 90_000 - testContext().clock.now())
  })

  test('a page of megabytes is read no further than 64 KiB', async () => {
    const server = await peer((response) => {
      response.writeHead(400, { 'content-type': 'text/plain' })
      response.on('error', () => {})
      response.write('no '.repeat(100_000))
      // And never ends.
    })
    const failure = await failureOf(await run({ endpoint: server.url }))
    expect(failure.message).toMatch(/answered HTTP 400: no no /)
    expect(failure.message.length).toBeLessThan(1200)
  })

  test('nothing in time', async () => {
    const server = await peer(() => {})
    expect(await failureOf(await run({ endpoint: server.url, timeout: '60ms' }))).toMatchObject({
      verdict: 'retry',
      reason: 'timeout',
    })
  })

  test('nothing: it is not there', async () => {
    const server = await peer()
    server.close()
    expect(await failureOf(await run({ endpoint: server.url }))).toMatchObject({
      verdict: 'retry',
      reason: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('nothing: the connection breaks', async () => {
    const server = await peer((response) => response.socket!.destroy())
    expect(await failureOf(await run({ endpoint: server.url }))).toMatchObject({
      verdict: 'retry',
      reason: 'unreachable',
    })
  })
})

test.each([400, 401, 403, 404, 408, 413, 429, 500, 501, 502, 503, 504])(
  'HTTP %i is retried if the specification says so',
  (httpStatus) => {
    const result = sendResult({ ok: false, httpStatus, status: { code: 2, message: 'x' } }, 'http://peer')
    expect(result).toMatchObject({ verdict: [429, 502, 503, 504].includes(httpStatus) ? 'retry' : 'reject' })
  },
)

test.each<[number, string, boolean]>([
  [413, 'HTTP 413', true],
  [400, 'HTTP 400: http: request body too large', true],
  [400, 'HTTP 400: invalid character', false],
  [429, 'HTTP 429: too many requests', false],
])('HTTP %i "%s": a matter of size is %s', (httpStatus, message, tooLarge) => {
  const result = sendResult({ ok: false, httpStatus, status: { code: 2, message } }, 'http://peer')
  expect('tooLarge' in result && result.tooLarge === true).toBe(tooLarge)
  if (tooLarge) expect(result).toMatchObject({ verdict: 'reject', reason: 'rejected_too_large' })
})

describe('the configuration', () => {
  test.each<[object, string]>([
    [
      {},
      'endpoint: at least one endpoint must be specified; set endpoint to a base URL, such as "http://gateway:4318"',
    ],
    [
      { endpoint: 'gateway:4318' },
      'endpoint: expected a URL with http:// or https://, got "gateway:4318"; did you mean "http://gateway:4318"?',
    ],
    [
      { endpoint: 'http://gateway', compression_params: { level: 12 } },
      "compression_params.level: expected a level of gzip from 1 to 9, -1 for zlib's usual, -2 for Huffman coding alone, or 0 for the fastest, got 12",
    ],
    [
      { endpoint: 'http://gateway', compression: 'none', compression_params: { level: 3 } },
      'compression_params.level: compression "none" has no levels; leave level out',
    ],
  ])('%j', (config, problem) => {
    expect(checked(definition, config).problems).toEqual([problem])
  })
})
