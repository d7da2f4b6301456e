import * as fs from 'node:fs'
import * as https from 'node:https'
import { credentials } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import definition from '../../../receivers/otlp/otlp.ts'
import { ack } from '../../../src/component/delivery.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { type Certificates, makeCertificates } from '../../transport/support/certificates.ts'
import { checked, configured } from '../../transport/support/configured.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'

let certificates: Certificates
beforeAll(() => {
  certificates = makeCertificates()
})
afterAll(() => certificates.remove())

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const BODY = someBatches('traces', 1)[0]!.chunks[0]!

async function run(tls: object): Promise<{ grpc: string; http: string }> {
  const ctx = testContext({ kind: 'receiver', id: 'otlp', signals: ['traces'] })
  const protocol = { endpoint: '127.0.0.1:0', tls }
  const config = configured(definition, { protocols: { grpc: protocol, http: protocol } })
  const component = await definition.create(config, ctx, {
    traces: { acknowledges: 'delivered', consume: ack },
  })
  await component.start!()
  cleanups.push(() => component.stop!(deadlineIn(ctx.clock, 0)))
  return { grpc: ctx.endpoints[0]!.address, http: ctx.endpoints[1]!.address }
}

function own(): { cert_file: string; key_file: string } {
  return { cert_file: certificates.server.cert, key_file: certificates.server.key }
}

async function overGrpc(address: string, client?: { cert: string; key: string }): Promise<number> {
  const secure = credentials.createSsl(
    fs.readFileSync(certificates.ca),
    ...(client ? ([fs.readFileSync(client.key), fs.readFileSync(client.cert)] as const) : []),
  )
  const one = jsClient(address, { credentials: secure })
  cleanups.push(() => one.close())
  return (await one.call(BODY, { timeoutMs: 2000 })).error?.code ?? 0
}

function overHttp(address: string, options: https.RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      `https://${address}/v1/traces`,
      {
        method: 'POST',
        ca: fs.readFileSync(certificates.ca),
        headers: { 'content-type': 'application/x-protobuf' },
        agent: false,
        ...options,
      },
      (response) => resolve(response.resume().statusCode!),
    )
    request.on('error', reject)
    request.end(BODY)
  })
}

describe('TLS', () => {
  test('serves both protocols', async () => {
    const { grpc, http } = await run(own())
    expect(await overGrpc(grpc)).toBe(0)
    expect(await overHttp(http, {})).toBe(200)
  })

  test('takes certificate and key as text', async () => {
    const { grpc } = await run({
      cert_pem: certificates.read(certificates.server.cert),
      key_pem: certificates.read(certificates.server.key),
    })
    expect(await overGrpc(grpc)).toBe(0)
  })

  test('lets only clients with a certificate in, under client_ca_file', async () => {
    const { grpc, http } = await run({ ...own(), client_ca_file: certificates.ca })
    const { cert, key } = certificates.client
    expect(await overGrpc(grpc, certificates.client)).toBe(0)
    expect(await overGrpc(grpc)).toBe(14)
    expect(await overHttp(http, { cert: fs.readFileSync(cert), key: fs.readFileSync(key) })).toBe(200)
    await expect(overHttp(http, {})).rejects.toThrow()
  })

  test('speaks no older version than min_version', async () => {
    const { http } = await run({ ...own(), min_version: '1.3' })
    await expect(overHttp(http, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/)
    expect(await overHttp(http, {})).toBe(200)
  })
})

describe('at start', () => {
  test('a file that cannot be read is named', async () => {
    await expect(run({ ...own(), key_file: '/nowhere/server.key' })).rejects.toMatchObject({
      code: 'TLS_FILE_UNREADABLE',
      message: expect.stringMatching(
        /^protocols\.grpc\.tls\.key_file: cannot read "\/nowhere\/server\.key" \(ENOENT\)/,
      ),
    })
  })

  test("a key that is another certificate's is refused", async () => {
    await expect(run({ ...own(), key_file: certificates.client.key })).rejects.toMatchObject({
      code: 'TLS_MATERIAL_INVALID',
      message: expect.stringMatching(/^protocols\.grpc\.tls: certificate, key or authorities are not usable: /),
    })
  })
})

describe('in the configuration', () => {
  const problems = (tls: object): string[] => checked(definition, { protocols: { grpc: { tls } } }).problems

  test.each<[object, string]>([
    [{}, 'protocols.grpc.tls.cert_file: expected a certificate and its private key; set cert_file and key_file'],
    [{ cert_file: 'a' }, 'protocols.grpc.tls.key_file: a certificate needs its private key; set key_file'],
    [
      { cert_file: 'a', cert_pem: 'b', key_file: 'c' },
      'protocols.grpc.tls.cert_pem: cert_file and cert_pem say the same thing; keep one of them',
    ],
    [
      { cert_file: 'a', key_file: 'b', min_version: '1.3', max_version: '1.2' },
      'protocols.grpc.tls.max_version: expected at least min_version (1.3), got 1.2',
    ],
  ])('%j', (tls, problem) => {
    expect(problems(tls)).toEqual([problem])
  })
})
