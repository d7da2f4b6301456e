// Connects to a port with nothing configured; prints the name of the server, or why not.
import * as tls from 'node:tls'
import { systemClock } from '../../../src/clock.ts'
import { ClientTls } from '../../../src/transport/tls.ts'
import { systemAuthorities } from '../../../src/transport/tls-authorities.ts'

const material = new ClientTls(
  { min_version: '1.2', insecure: false, insecure_skip_verify: false, include_system_ca_certs_pool: false },
  { configuredBy: 'tls', clock: systemClock },
)
const socket = tls.connect({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  servername: 'localhost',
  ...material.current(),
})
socket.on('secureConnect', () => {
  console.log(socket.getPeerCertificate().subject.CN)
  socket.end()
})
socket.on('error', (error: NodeJS.ErrnoException) => {
  const { length } = systemAuthorities()
  console.log(`${error.code} of ${length >= 100 ? '100 or more' : length}`)
})
