// gRPC through an HTTP proxy's CONNECT. The proxy of the tests takes every name for loopback, so that a name that arrives there was
// looked up by nobody before.
import * as http2 from 'node:http2'
import type * as net from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { type GrpcClientOptions, grpcClient } from '../../src/transport/grpc-client.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import { type CallResult, GRPC } from '../../src/transport/unary.ts'
import { memoryLog } from '../support/memory-log.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'
import { answerOk, http2Peer } from './support/http2-peer.ts'
import { type TestProxy, testProxy } from './support/proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

let certificates: Certificates
beforeAll(() => {
  certificates = makeCertificates()
})
afterAll(() => certificates.remove())

async function proxy(refusal?: number): Promise<TestProxy> {
  const made = await testProxy(refusal)
  cleanups.push(() => made.close())
  return made
}

async function call(endpoint: string, url: string, options: Partial<GrpcClientOptions> = {}): Promise<CallResult> {
  const target = parseGrpcTarget(endpoint)
  if (typeof target === 'string') throw new Error(target)
  const one = grpcClient({
    target,
    userAgent: 'sluice-test',
    proxy: { url: new URL(url), userAgent: 'sluice-test' },
    lookup: () => Promise.reject(new Error('looked up')),
    ...options,
  })
  cleanups.push(() => one.close())
  return await one.call('traces', [Uint8Array.of(1)], { timeoutMs: 5000 })
}

test('in clear text; the proxy looks the name up', async () => {
  const peer = await http2Peer()
  cleanups.push(() => peer.close())
  const between = await proxy()
  expect((await call(`backend.test:${peer.port}`, between.url)).ok).toBe(true)
  expect(between.asked).toEqual([`CONNECT backend.test:${peer.port}`])
})

test('with the credentials of its URL', async () => {
  const peer = await http2Peer()
  cleanups.push(() => peer.close())
  const between = await proxy()
  expect((await call(`backend.test:${peer.port}`, between.url.replace('//', '//me:p%40ss@'))).ok).toBe(true)
  expect(between.asked).toEqual([`CONNECT backend.test:${peer.port} me:p@ss`])
})

test('with TLS to the server, whose name is checked', async () => {
  const server = http2.createSecureServer({
    cert: certificates.read(certificates.server.cert),
    key: certificates.read(certificates.server.key),
  })
  server.on('stream', answerOk)
  const sessions: http2.ServerHttp2Session[] = []
  server.on('session', (session) => sessions.push(session))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  const between = await proxy()
  const tls = new ClientTls(
    {
      min_version: '1.2',
      insecure: false,
      insecure_skip_verify: false,
      include_system_ca_certs_pool: false,
      ca_file: certificates.ca,
    },
    { configuredBy: 'tls', clock: systemClock, log: memoryLog().log },
  )
  expect((await call(`localhost:${port}`, between.url, { tls })).ok).toBe(true)
  expect(await call(`backend.test:${port}`, between.url, { tls })).toMatchObject({
    ok: false,
    status: { message: expect.stringMatching(/certificate is for another name/) },
  })
  expect(between.asked).toEqual([`CONNECT localhost:${port}`, `CONNECT backend.test:${port}`])
})

test.each([
  [
    407,
    /^the proxy 127\.0\.0\.1:\d+ answered HTTP 407 to CONNECT backend\.test:4317; put user:password@ into its URL$/,
  ],
  [403, /^the proxy 127\.0\.0\.1:\d+ answered HTTP 403 to CONNECT backend\.test:4317$/],
])('that refuses with %i is not reached: a failure that says so', async (status, message) => {
  const between = await proxy(status)
  expect(await call('backend.test:4317', between.url)).toMatchObject({
    ok: false,
    status: { code: GRPC.UNAVAILABLE, message: expect.stringMatching(message) },
    connection: 'EPROXY',
  })
})

test('that is not there', async () => {
  const between = await proxy()
  between.close()
  expect(await call('backend.test:4317', between.url.replace('//', '//me:hidden@'))).toMatchObject({
    ok: false,
    status: { message: expect.stringMatching(/^the proxy 127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/) },
    connection: 'ECONNREFUSED',
  })
})
