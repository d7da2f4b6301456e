import * as fs from 'node:fs'
import { status as GrpcStatus, Metadata, ServerCredentials } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_grpc/otlp_grpc.ts'
import { sendResult } from '../../../exporters/otlp_grpc/send-result.ts'
import type { Component } from '../../../src/component/contracts.ts'
import type { Consumer } from '../../../src/component/delivery.ts'
import { makeBatch, type Signal } from '../../../src/otlp/batch.ts'
import { encodeExportResponse } from '../../../src/transport/export-response.ts'
import { encodeStatus } from '../../../src/transport/rpc-status.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { type Certificates, makeCertificates } from '../../transport/support/certificates.ts'
import { checked, configured } from '../../transport/support/configured.ts'
import { type JsServer, jsServer } from '../../transport/support/grpc-peers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function peer(...args: Parameters<typeof jsServer>): Promise<JsServer> {
  const server = await jsServer(...args)
  cleanups.push(() => server.kill())
  return server
}

async function run(
  config: object,
  signals: readonly Signal[] = ['traces', 'metrics', 'logs'],
): Promise<{ exporter: Component & Consumer; ctx: TestContext }> {
  const ctx = testContext({ kind: 'exporter', id: 'otlp_grpc', signals })
  const exporter = await definition.create(configured(definition, config), ctx)
  await exporter.start!()
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  return { exporter, ctx }
}

/** Sends straight away, one attempt. */
const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
const PLAIN = { tls: { insecure: true } }

async function settled(exporter: Consumer, signal: Signal = 'traces'): Promise<Tracked> {
  const tracked = track(someBatches(signal, 1)[0]!)
  exporter.consume(tracked.delivery)
  await expect.poll(() => tracked.outcome, { timeout: 10_000 }).toBeDefined()
  return tracked
}

describe('what is sent', () => {
  test.each(['gzip', 'none'])(
    'arrives byte for byte at grpc-js, several chunks as one request, %s',
    async (compression) => {
      const server = await peer()
      const { exporter } = await run({ ...DIRECT, ...PLAIN, endpoint: `127.0.0.1:${server.port}`, compression })
      for (const signal of ['traces', 'metrics', 'logs'] as const) {
        const batches = someBatches(signal, 3)
        const chunks = batches.flatMap((batch) => batch.chunks)
        const tracked = track(makeBatch(signal, chunks, 3, { arrivedAt: 0 }))
        exporter.consume(tracked.delivery)
        await expect.poll(() => tracked.events).toEqual(['ok'])
        const { signal: seen, body, metadata } = server.received.at(-1)!
        expect(seen).toBe(signal)
        expect(Buffer.compare(body, Buffer.concat(chunks))).toBe(0)
        expect(metadata.get('user-agent')[0]).toMatch(/^Sluice\/\d+\.\d+\.\d+ \(\w+\/\w+\)$/)
      }
    },
  )

  test('carries the headers, in lower case', async () => {
    const server = await peer()
    const { exporter } = await run({
      ...DIRECT,
      ...PLAIN,
      endpoint: `http://127.0.0.1:${server.port}`,
      headers: { 'X-Api-Key': 'secret' },
    })
    expect((await settled(exporter)).events).toEqual(['ok'])
    expect(server.received[0]!.metadata.get('x-api-key')).toEqual(['secret'])
  })

  test('is admitted by the queue, and settled when the peer has taken it', async () => {
    const server = await peer()
    const { exporter } = await run({ ...PLAIN, endpoint: `dns:///127.0.0.1:${server.port}` })
    expect(exporter.acknowledges).toBe('admitted')
    expect((await settled(exporter)).events).toEqual(['admitted', 'ok'])
  })
})

describe('what the peer answers', () => {
  test('a partial success is one', async () => {
    const response = Buffer.from(encodeExportResponse({ rejected: 1, message: 'too old' }))
    const server = await peer((_body, reply) => reply(null, response))
    const { exporter } = await run({ ...DIRECT, ...PLAIN, endpoint: `127.0.0.1:${server.port}` })
    const tracked = await settled(exporter)
    expect(tracked.outcome).toEqual({ ok: true, rejected: 1, message: 'too old' })
  })

  test('a failure travels back with its status and delay', async () => {
    const metadata = new Metadata()
    const status = { code: 8, message: 'quota', retryAfterMs: 3000 }
    metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(status)))
    const server = await peer((_body, reply) => reply({ code: 8, details: 'quota', metadata }))
    const endpoint = `127.0.0.1:${server.port}`
    const { exporter } = await run({ ...DIRECT, ...PLAIN, endpoint })
    const { outcome } = await settled(exporter)
    expect(outcome).toMatchObject({
      ok: false,
      failure: { verdict: 'retry', reason: 'unavailable', grpcStatus: 8, retryAfterMs: 3000 },
    })
    expect(outcome!.ok ? '' : outcome!.failure.message).toContain(`${endpoint} answered RESOURCE_EXHAUSTED: quota`)
  })

  test('nothing: the peer is not there', async () => {
    const server = await peer()
    server.kill()
    const { exporter } = await run({ ...DIRECT, ...PLAIN, endpoint: `127.0.0.1:${server.port}` })
    expect((await settled(exporter)).events).toEqual(['retry:unreachable'])
  })

  test('nothing in time', async () => {
    const server = await peer(() => {})
    const { exporter } = await run({
      ...DIRECT,
      ...PLAIN,
      endpoint: `127.0.0.1:${server.port}`,
      timeout: '60ms',
    })
    expect((await settled(exporter)).events).toEqual(['retry:timeout'])
  })
})

describe('sendResult', () => {
  const RETRYABLE = [1, 4, 10, 11, 14, 15]

  test.each(Array.from({ length: 16 }, (_, i) => i + 1))('of status %i', (code) => {
    const result = sendResult({ ok: false, status: { code, message: 'x' } }, 'peer:1')
    expect(result).toMatchObject({
      ok: false,
      verdict: RETRYABLE.includes(code) ? 'retry' : 'reject',
      grpcStatus: code,
    })
  })

  test('of RESOURCE_EXHAUSTED with a RetryInfo', () => {
    const status = { code: GrpcStatus.RESOURCE_EXHAUSTED, message: 'x', retryAfterMs: 0 }
    expect(sendResult({ ok: false, status }, 'peer:1')).toMatchObject({ verdict: 'retry', retryAfterMs: 0 })
  })

  // The sentences of grpc-go, grpc-core and grpc-js, grpc-java, .NET and tonic, and of another Sluice.
  test.each<[number, string]>([
    [8, 'grpc: received message larger than max (5000000 vs. 4194304)'],
    [8, 'grpc: received message after decompression larger than max 4194304'],
    [8, 'Received message larger than max (5000000 vs 4194304)'],
    [8, 'SERVER: Received message larger than max (5000000 vs. 4194304)'],
    [8, 'gRPC message exceeds maximum size 4194304: 5000000'],
    [8, 'Decompressed gRPC message exceeds maximum size 4194304'],
    [8, 'Received message exceeds the maximum configured message size.'],
    [11, 'Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes'],
    [8, 'request of 30004096 bytes is larger than the 25165824 bytes that all requests together may have; send less'],
  ])('of status %i and "%s": too large', (code, message) => {
    expect(sendResult({ ok: false, status: { code, message } }, 'peer:1')).toMatchObject({
      verdict: 'reject',
      reason: 'rejected_too_large',
      tooLarge: true,
    })
  })

  test.each<[number, string]>([
    [8, 'quota exceeded, the limit is 100 requests'],
    [8, 'too many requests'],
    [8, 'request rate exceeds the limit'],
    [8, 'the request exceeds the rate limit of 10 per second'],
    [3, 'received message larger than max (5 vs. 4)'],
  ])('of status %i and "%s": not a matter of size', (code, message) => {
    expect(sendResult({ ok: false, status: { code, message } }, 'peer:1')).not.toHaveProperty('tooLarge')
  })

  test('of what is said to be too large, and to be sent again later', () => {
    const status = { code: GrpcStatus.RESOURCE_EXHAUSTED, message: 'request exceeds the size limit', retryAfterMs: 9 }
    const result = sendResult({ ok: false, status }, 'peer:1')
    expect(result).toMatchObject({ verdict: 'retry', retryAfterMs: 9 })
    expect(result).not.toHaveProperty('tooLarge')
  })

  test('of a proxy that answers HTTP 413', () => {
    const status = { code: GrpcStatus.UNKNOWN, message: 'x' }
    expect(sendResult({ ok: false, status, httpStatus: 413 }, 'peer:1')).toMatchObject({ tooLarge: true })
  })

  test('of a response that is none', () => {
    expect(sendResult({ ok: true, response: Uint8Array.of(0xff) }, 'peer:1')).toMatchObject({
      ok: false,
      verdict: 'reject',
      reason: 'bad_response',
    })
  })
})

describe('TLS', () => {
  let certificates: Certificates
  beforeAll(() => {
    certificates = makeCertificates()
  })
  afterAll(() => certificates.remove())

  async function secured(clientCertificates: boolean): Promise<string> {
    const { server, ca } = certificates
    const pair = { cert_chain: fs.readFileSync(server.cert), private_key: fs.readFileSync(server.key) }
    const own = ServerCredentials.createSsl(clientCertificates ? fs.readFileSync(ca) : null, [pair], clientCertificates)
    return `localhost:${(await peer(undefined, { credentials: own })).port}`
  }

  const events = async (endpoint: string, tls: object): Promise<string[]> => {
    const { exporter } = await run({ ...DIRECT, endpoint, tls })
    return (await settled(exporter)).events
  }

  test('is on unless insecure, and checks the server', async () => {
    const endpoint = await secured(false)
    expect(await events(endpoint, { ca_file: certificates.ca })).toEqual(['ok'])
    expect(await events(endpoint, {})).toEqual(['retry:unreachable'])
    expect(await events(endpoint, { ca_file: certificates.stranger })).toEqual(['retry:unreachable'])
    expect(await events(endpoint, { insecure_skip_verify: true })).toEqual(['ok'])
    expect(await events(endpoint, { insecure: true })).toEqual(['retry:unreachable'])
    expect(await events(`https://${endpoint}`, { insecure: true, ca_file: certificates.ca })).toEqual(['ok'])
  })

  test('looks for the name that it is told to', async () => {
    const endpoint = await secured(false)
    const ca = { ca_file: certificates.ca }
    expect(await events(endpoint, { ...ca, server_name_override: 'localhost' })).toEqual(['ok'])
    expect(await events(endpoint, { ...ca, server_name_override: 'elsewhere' })).toEqual(['retry:unreachable'])
  })

  test('shows its own certificate to a server that asks', async () => {
    const endpoint = await secured(true)
    const { cert, key } = certificates.client
    expect(await events(endpoint, { ca_file: certificates.ca, cert_file: cert, key_file: key })).toEqual(['ok'])
    expect(await events(endpoint, { ca_file: certificates.ca })).toEqual(['retry:unreachable'])
  })

  test('to a peer without it says what to do', async () => {
    const server = await peer()
    const { exporter } = await run({ ...DIRECT, endpoint: `127.0.0.1:${server.port}` })
    const { outcome } = await settled(exporter)
    expect(outcome!.ok ? '' : outcome!.failure.message).toContain('tls.insecure')
  })
})

describe('the configuration', () => {
  test.each<[object, string]>([
    [
      { endpoint: 'gateway' },
      'endpoint: expected host:port with a port from 0 to 65535, got "gateway"; the port is missing',
    ],
    [{ endpoint: ':4317' }, 'endpoint: expected host:port, got ":4317"; the host is missing'],
    [
      { endpoint: 'http://gateway:4317/v1/traces' },
      'endpoint: expected host:port, or a target with http://, https://, dns:///, passthrough:///, ipv4:, ipv6: or unix: (gRPC has no path), got "http://gateway:4317/v1/traces"',
    ],
    [
      { endpoint: 'gateway:4317', headers: { 'x-key': 'secret\n' } },
      'headers.x-key: expected a value without line breaks and other control characters; a file read into it may end with one',
    ],
    [
      { endpoint: 'gateway:4317', headers: { 'x key': 'a' } },
      'headers.x key: expected the name of a header: letters, digits and -',
    ],
    [
      { endpoint: 'gateway:4317', headers: { Connection: 'close' } },
      'headers.Connection: the transport sets this header itself; leave it out',
    ],
    [
      { endpoint: 'gateway:4317', tls: { cert_file: 'a.crt' } },
      'tls.key_file: a certificate needs its private key; set key_file',
    ],
  ])('%j', (config, problem) => {
    expect(checked(definition, config).problems).toEqual([problem])
  })

  test('has the alias that older configurations use', () => {
    expect(definition.aliases).toEqual(['otlp'])
  })
})

test('stops twice, and unstarted', async () => {
  const ctx = testContext()
  const exporter = await definition.create(configured(definition, { endpoint: 'localhost:1', ...PLAIN }), ctx)
  await exporter.stop!(deadlineIn(ctx.clock, 0))
  await exporter.stop!(deadlineIn(ctx.clock, 0))
})
