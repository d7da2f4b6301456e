import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { httpClient } from '../../src/transport/http-client.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'

let certificates: Certificates
let folder: string
beforeAll(() => {
  certificates = makeCertificates()
  folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
})
afterAll(() => {
  certificates.remove()
  rmSync(folder, { recursive: true, force: true })
})

function place({ cert, key }: { cert: string; key: string }): { cert_file: string; key_file: string } {
  const files = { cert_file: join(folder, 'client.crt'), key_file: join(folder, 'client.key') }
  copyFileSync(cert, files.cert_file)
  copyFileSync(key, files.key_file)
  return files
}

test('a changed certificate is shown by the next request; one under way finishes where it is', async () => {
  const { server: own, ca } = certificates
  const authority = certificates.read(ca)
  const seen: string[] = []
  const waiting: (() => void)[] = []
  const server = https.createServer(
    { cert: certificates.read(own.cert), key: certificates.read(own.key), ca: authority, requestCert: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN))
      request.resume()
      waiting.push(() => response.end())
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clock = new FakeClock()
  const client = httpClient({
    urls: { traces: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces` },
    userAgent: 'test',
    contentType: 'application/x-protobuf',
    tls: new ClientTls(
      {
        ...place(certificates.client),
        min_version: '1.2',
        insecure: false,
        insecure_skip_verify: false,
        include_system_ca_certs_pool: false,
        ca_file: ca,
        reload_interval: 1000,
      },
      { configuredBy: 'tls', clock },
    ),
    now: () => clock.now(),
  })
  const call = (): Promise<unknown> => client.call('traces', [Buffer.from('x')], { timeoutMs: 10_000 })
  const answered = async (): Promise<void> => {
    await expect.poll(() => waiting.length).toBe(1)
    waiting.pop()!()
  }
  const first = call()
  await answered()
  expect(await first).toMatchObject({ ok: true })

  const underWay = call()
  await expect.poll(() => waiting.length).toBe(1)
  const finish = waiting.pop()!
  place(certificates.issue('renewed'))
  await clock.advance(1000)
  const next = call()
  await answered()
  expect(await next).toMatchObject({ ok: true })
  finish()
  expect(await underWay).toMatchObject({ ok: true })
  expect(seen).toEqual(['client', 'client', 'renewed'])

  // Also what was left behind has gone.
  await client.close()
  await new Promise((resolve) => server.close(resolve))
})
