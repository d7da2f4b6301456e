import type { AddressInfo } from 'node:net'
import * as tls from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ServerTls } from '../../src/transport/tls.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Certificates, makeCertificates } from './support/certificates.ts'

// What the system trusts is one of the test's authorities here; who the system trusts is tested in tls.test.ts.
const system = vi.hoisted(() => ({ authorities: [] as string[] }))
vi.mock('../../src/transport/tls-authorities.ts', () => ({ systemAuthorities: () => system.authorities }))

let certificates: Certificates
beforeAll(() => {
  certificates = makeCertificates()
  system.authorities = [certificates.read(certificates.stranger)]
})
afterAll(() => certificates.remove())

test.each([
  [true, ['in', 'in', 'out']],
  [false, ['in', 'out', 'out']],
])('include_system_ca_certs_pool: %s of a server', async (include, expected) => {
  const { cert, key } = certificates.server
  const material = new ServerTls(
    {
      min_version: '1.2',
      cert_file: cert,
      key_file: key,
      client_ca_file: certificates.ca,
      include_system_ca_certs_pool: include,
    },
    { configuredBy: 'tls', clock: new FakeClock() },
  )
  const server = tls.createServer(material.options, (socket) => socket.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const enter = (own: { cert: string; key: string } | undefined): Promise<string> =>
    new Promise((resolve) => {
      const shown = own && { cert: certificates.read(own.cert), key: certificates.read(own.key) }
      const socket = tls.connect({ port, host: '127.0.0.1', ca: certificates.read(certificates.ca), ...shown })
      socket.on('data', () => resolve('in'))
      socket.on('error', () => resolve('out'))
      socket.on('close', () => resolve('out'))
    })
  const strange = certificates.issue(`strange-${include}`, 'stranger')
  expect([await enter(certificates.client), await enter(strange), await enter(undefined)]).toEqual(expected)
  await new Promise((resolve) => server.close(resolve))
})
