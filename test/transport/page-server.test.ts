import { mkdtempSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { HealthCheck } from '../../extensions/health_check/extension.ts'
import { PageServer, type PageServerOptions, text } from '../../src/transport/page-server.ts'
import { healthConfig } from '../extensions/health_check/support/health-config.ts'
import { deadlineIn } from '../support/context.ts'
import { hostContext } from '../support/host.ts'
import { ask } from '../support/http-get.ts'
import { makeCertificates } from './support/certificates.ts'

async function serve(options: Partial<PageServerOptions>, answer = async () => text(200, 'here\n')): Promise<string> {
  const server = new PageServer(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      headers: {},
      readTimeoutMs: 0,
      readHeaderTimeoutMs: 0,
      writeTimeoutMs: 0,
      idleTimeoutMs: 0,
      keepAlive: true,
      ...options,
    },
    answer,
  )
  onTestFinished(() => server.stop(AbortSignal.abort()))
  return await server.start()
}

const WHOLE = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** Sends `parts`; resolves with what came until the server ended the connection. */
function until(address: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(address.split(':').at(-1)), '127.0.0.1')
    let seen = ''
    socket.on('data', (part) => {
      seen += String(part)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(seen))
    socket.write(text)
  })
}

test.each<[string, Partial<PageServerOptions>, string, RegExp]>([
  ['headers that do not come', { readHeaderTimeoutMs: 80 }, 'GET / HTTP/1.1\r\nHos', /^HTTP\/1\.1 408/],
  [
    'the same under a shorter limit of the request',
    { readTimeoutMs: 80, readHeaderTimeoutMs: 60_000 },
    'GE',
    /^HTTP\/1\.1 408/,
  ],
  ['the same where only the request has one', { readTimeoutMs: 80 }, 'GE', /^HTTP\/1\.1 408/],
  ['a connection without another request', { idleTimeoutMs: 80 }, WHOLE, /here\n$/],
  ['the same where only a request has a limit', { readTimeoutMs: 80 }, WHOLE, /here\n$/],
  [
    'a second request where there is to be one',
    { keepAlive: false },
    WHOLE + WHOLE,
    /^HTTP\/1\.1 200 OK(?:(?!HTTP).)*here\n$/s,
  ],
])('ends a connection for %s', async (_name, options, sent, seen) => {
  expect(await until(await serve(options), sent)).toMatch(seen)
})

test('ends a connection that stands still', async () => {
  const never = (): Promise<never> => new Promise(() => {})
  expect(await until(await serve({ writeTimeoutMs: 80 }, never), WHOLE)).toBe('')
})

test('limits longer than any timer are no limits, and parts of a millisecond are limits', async () => {
  const years = 1e12
  const address = await serve({
    readTimeoutMs: years,
    readHeaderTimeoutMs: years,
    writeTimeoutMs: years,
    idleTimeoutMs: years,
  })
  expect((await ask(`http://${address}/`)).status).toBe(200)
  const short = await serve({ idleTimeoutMs: 0.5 })
  expect(await until(short, WHOLE)).toMatch(/here\n$/)
})

/** An extension whose keys reach the server. */
async function extension(options: object): Promise<string> {
  const ctx = hostContext('health_check')
  const made = new HealthCheck(await healthConfig({ endpoint: '127.0.0.1:0', ...options }), ctx)
  onTestFinished(() => made.stop(deadlineIn(ctx.clock, 0)))
  await made.start()
  return ctx.endpoints[0]!.address
}

test.each([
  [{ read_timeout: '80ms' }, 'GE'],
  [{ read_header_timeout: '80ms' }, 'GE'],
  [{ idle_timeout: '80ms' }, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'],
  [{ keep_alives_enabled: false }, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'],
])('%j is that limit', async (options, sent) => {
  await until(await extension(options), sent)
})

test('response_headers stand on every answer', async () => {
  const address = await extension({ response_headers: { 'X-Frame-Options': 'DENY' }, path: '/h' })
  for (const path of ['/h', '/livez', '/nowhere']) {
    expect((await ask(`http://${address}${path}`)).headers['x-frame-options']).toBe('DENY')
  }
})

test('transport: unix serves at a path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pages-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 's')
  await extension({ endpoint: socketPath, transport: 'unix' })
  const status = await new Promise((resolve, reject) => {
    http
      .get({ socketPath, path: '/livez', agent: false }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
  })
  expect(status).toBe(200)
})

test('tls serves over TLS, to clients with a certificate where that is asked', async () => {
  const certificates = makeCertificates()
  onTestFinished(() => certificates.remove())
  const { cert, key } = certificates.server
  const address = await extension({ tls: { cert_file: cert, key_file: key, client_ca_file: certificates.ca } })
  const get = (more: https.RequestOptions): Promise<number | string> =>
    new Promise((resolve) => {
      const options = { ca: certificates.read(certificates.ca), agent: false, ...more } as const
      https
        .get(`https://${address}/livez`, options, (response) => resolve(response.resume().statusCode!))
        .on('error', ({ message }) => resolve(message))
    })
  const { client } = certificates
  expect(await get({ cert: certificates.read(client.cert), key: certificates.read(client.key) })).toBe(200)
  expect(await get({})).not.toBe(200)
})
