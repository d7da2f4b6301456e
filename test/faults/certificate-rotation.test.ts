// Certificates change under load, on both sides of every connection. What this does not prove: that a client which pins a
// certificate likes the new one.
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as tls from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { someBatches } from '../contract/support/data.ts'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, startSluice } from '../support/sluice.ts'
import { type Certificates, makeCertificates } from '../transport/support/certificates.ts'

let certificates: Certificates
let folder: string
beforeAll(() => {
  certificates = makeCertificates()
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
})
afterEach(endAll)
afterAll(() => {
  certificates.remove()
  rmSync(folder, { recursive: true, force: true })
})

const GENERATIONS = 4
const batch = someBatches('traces', 1)[0]!

/** Every file is whole at any time, but the pair is not: the key comes a moment later. */
async function place(side: string, { cert, key }: { cert: string; key: string }): Promise<void> {
  for (const [from, to] of [
    [cert, `${side}.crt`],
    [key, `${side}.key`],
  ] as const) {
    copyFileSync(from, join(folder, 'new'))
    renameSync(join(folder, 'new'), join(folder, to))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A request over a connection of its own; resolves with the status and the name in the server's certificate. */
function send(address: string): Promise<{ status: number; name: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      `https://${address}/v1/traces`,
      {
        method: 'POST',
        ca: readFileSync(certificates.ca),
        agent: false,
        headers: { 'content-type': 'application/x-protobuf' },
      },
      (response) => {
        const name = String((response.socket as tls.TLSSocket).getPeerCertificate().subject?.CN)
        response.resume().on('end', () => resolve({ status: response.statusCode!, name }))
      },
    )
    request.on('error', reject)
    request.end(batch.chunks[0])
  })
}

//  test ─ HTTPS ─► front ─┬ gRPC, mTLS ─► back ─┬─► backend
//                         └ HTTPS, mTLS ─► back ─┘
const config = (back: { grpc: number; http: number }, backend: string): string => {
  const pair = (side: string): string =>
    `cert_file: ${join(folder, `${side}.crt`)}, key_file: ${join(folder, `${side}.key`)}, reload_interval: 50ms`
  const server = `tls: {${pair('server')}, client_ca_file: ${certificates.ca}, client_ca_file_reload: true}`
  const client = `tls: {${pair('client')}, ca_file: ${certificates.ca}}`
  return `
receivers:
  otlp/front: {protocols: {http: {endpoint: 127.0.0.1:0, tls: {${pair('server')}}}}}
  otlp/back:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${back.grpc}
        ${server}
        keepalive: {server_parameters: {max_connection_age: 150ms, max_connection_age_grace: 5s}}
      http: {endpoint: 127.0.0.1:${back.http}, ${server}}
exporters:
  otlp_grpc/front: {endpoint: 127.0.0.1:${back.grpc}, ${client}}
  otlp_http/front: {endpoint: 'https://127.0.0.1:${back.http}', ${client}, disable_keep_alives: true}
  otlp_grpc/back: {endpoint: '${backend}', tls: {insecure: true}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces/front: {receivers: [otlp/front], exporters: [otlp_grpc/front, otlp_http/front]}
    traces/back: {receivers: [otlp/back], exporters: [otlp_grpc/back]}
`
}

test('certificates are replaced under load: no request fails, and everything arrives', async () => {
  await place('server', certificates.server)
  await place('client', certificates.client)
  const backend = await startBackend()
  const back = { grpc: await freePort(), http: await freePort() }
  const file = join(folder, 'sluice.yaml')
  writeFileSync(file, config(back, backend.grpc))
  const sluice = await startSluice(['run', file])
  const front = sluice.address('receiver otlp/front', 'http')

  let rotating = true
  let sent = 0
  const names = new Set<string>()
  const load = async (): Promise<void> => {
    while (rotating) {
      const { status, name } = await send(front)
      expect(status).toBe(200)
      sent++
      names.add(name)
    }
  }
  const loads = [load(), load(), load()]
  for (let generation = 1; generation <= GENERATIONS; generation++) {
    await place('server', certificates.issue(`server-${generation}`))
    await place('client', certificates.issue(`client-${generation}`))
    // The next one comes only once somebody was served with this one.
    await eventually(`server-${generation} is shown`, () => (names.has(`server-${generation}`) ? true : undefined))
  }
  rotating = false
  await Promise.all(loads)
  // Each request goes to the back twice, and nothing joins requests on the way.
  const expected = 2 * sent
  await eventually(`${expected} arrive\n${sluice.output()}`, () =>
    backend.received.length >= expected ? true : undefined,
  )
  expect(backend.received).toHaveLength(expected)
  // Both exporters took the new certificates: what the log says once per generation and side.
  const said = sluice.output().split('changed files were read again').length - 1
  expect(said).toBeGreaterThanOrEqual(GENERATIONS * 2)
  expect(sluice.output()).not.toMatch(/"level":"error"/)
  expect(await sluice.stop()).toBe(0)
  await backend.stop()
}, 60_000)
