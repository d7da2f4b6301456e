import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type Destination, ownSender } from '../../src/telemetry/own-sender.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ownTelemetry } from '../support/own-telemetry.ts'
import { eventually } from '../support/sluice.ts'
import { makeCertificates } from '../transport/support/certificates.ts'

interface Seen {
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** Answers with the statuses in turn, the last of them for ever. */
function answering(statuses: number[], seen: Seen[]): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    request.resume().on('end', () => {
      seen.push({ url: request.url, headers: request.headers })
      response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!).end()
    })
  }
}

function destination(otlp: object): Destination {
  return ownTelemetry({ logs: { processors: [{ simple: { exporter: { otlp } } }] } }).logs.processors[0]!.simple!
    .exporter
}

test('what may be tried again is, with waits that grow, until its time is up', async () => {
  const seen: Seen[] = []
  const port = await listen(createPlain(answering([503, 429, 200], seen)))
  const clock = new FakeClock()
  const sender = await ownSender(
    destination({ endpoint: `http://127.0.0.1:${port}`, headers: { 'X-Key': 'k' } }),
    clock,
  )
  onTestFinished(() => sender.close())
  const sent = sender.send('metrics', new Uint8Array([1]), 10_000)
  await eventually('the first attempt', () => (clock.timers > 0 ? true : undefined))
  expect(clock.next).toBe(1000)
  await clock.advance(1000)
  await eventually('the second attempt', () => (clock.timers > 0 ? true : undefined))
  expect(clock.next).toBe(1500)
  await clock.advance(1500)
  expect(await sent).toBeUndefined()
  expect(seen.map(({ url, headers }) => [url, headers['x-key']])).toEqual(Array(3).fill(['/v1/metrics', 'k']))
})

test('what may not is not, and what has no time left is given up with the last reason', async () => {
  const seen: Seen[] = []
  const port = await listen(createPlain(answering([400, 503], seen)))
  const sender = await ownSender(destination({ endpoint: `http://127.0.0.1:${port}/own/path` }), new FakeClock())
  onTestFinished(() => sender.close())
  expect(await sender.send('logs', new Uint8Array([1]), 10_000)).toBe('HTTP 400')
  expect(await sender.send('logs', new Uint8Array([1]), 900)).toBe('HTTP 503')
  expect(seen.map(({ url }) => url)).toEqual(['/own/path', '/own/path'])
})

test('over TLS by the authority that is named, and by no other', async () => {
  const certificates = makeCertificates()
  onTestFinished(() => certificates.remove())
  const seen: Seen[] = []
  const port = await listen(
    createServer(
      { cert: certificates.read(certificates.server.cert), key: certificates.read(certificates.server.key) },
      answering([200], seen),
    ),
  )
  const endpoint = `https://localhost:${port}`
  const trusting = await ownSender(destination({ endpoint, certificate: certificates.ca }), new FakeClock())
  onTestFinished(() => trusting.close())
  expect(await trusting.send('traces', new Uint8Array([1]), 5000)).toBeUndefined()
  const strange = await ownSender(destination({ endpoint }), new FakeClock())
  onTestFinished(() => strange.close())
  expect(await strange.send('traces', new Uint8Array([1]), 500)).toMatch(/certificate/i)
  expect(seen).toHaveLength(1)
})

test('shows its own certificate to an endpoint that asks for one', async () => {
  const certificates = makeCertificates()
  onTestFinished(() => certificates.remove())
  const { cert, key } = certificates.server
  const read = (path: string): string => certificates.read(path)
  const tls = {
    cert: read(cert),
    key: read(key),
    ca: read(certificates.ca),
    requestCert: true,
    rejectUnauthorized: true,
  }
  const seen: Seen[] = []
  const endpoint = `https://localhost:${await listen(createServer(tls, answering([200], seen)))}`
  const send = async (more: object): Promise<string | undefined> => {
    const sender = await ownSender(destination({ endpoint, certificate: certificates.ca, ...more }), new FakeClock())
    onTestFinished(() => sender.close())
    return await sender.send('traces', new Uint8Array([1]), 1000)
  }
  const { cert: client_certificate, key: client_key } = certificates.client
  expect(await send({})).toBeDefined()
  expect(await send({ client_certificate, client_key })).toBeUndefined()
  expect(await send({ tls: { cert_file: client_certificate, key_file: client_key } })).toBeUndefined()
  expect(seen).toHaveLength(2)
})
