import { once } from 'node:events'
import * as tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from '../../transport/support/certificates.ts'
import { connectTo } from './support/raw-clients.ts'
import { cleanups, type Running, running } from './support/running.ts'

// Clients at the wrong port. Each sees its connection end; whoever runs the receiver reads why.

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HELLO = Buffer.from('16030100a5010000a1030300', 'hex')

let made: Certificates
beforeAll(() => {
  made = makeCertificates()
})
afterAll(() => made.remove())

async function sends(address: string, bytes: string | Uint8Array): Promise<void> {
  const socket = connectTo(address)
  socket.on('error', () => {})
  socket.resume()
  socket.write(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
}

const said = ({ ctx }: Running): string[] =>
  ctx.lines.map(({ msg }) => String(msg).replace(/\d+\.\d+\.\d+\.\d+:\d+/, 'PEER'))

test('gRPC to the HTTP port, HTTP to the gRPC port, TLS to either', async () => {
  const receiver = await running()
  await sends(receiver.http, PREFACE)
  await sends(receiver.http, HELLO)
  await sends(receiver.grpc, 'POST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect
    .poll(() => said(receiver))
    .toEqual([
      'the client at PEER speaks gRPC to the HTTP port; its endpoint should be that of protocols.grpc',
      'the client at PEER speaks TLS to a port without; configure `tls` here, or an http:// endpoint there',
      'the client at PEER speaks no HTTP/2 to the gRPC port; if it speaks HTTP, its endpoint should be that of protocols.http, if TLS, `tls` is missing here',
    ])
})

test('each kind is said once a minute, with how many there were', async () => {
  const receiver = await running()
  for (let client = 0; client < 3; client++) await sends(receiver.http, PREFACE)
  expect(said(receiver)).toHaveLength(1)
  await receiver.ctx.clock.advance(60_000)
  await sends(receiver.http, PREFACE)
  expect(said(receiver)[1]).toContain('protocols.grpc; so did 2 more since the last such line')
})

test('what is just broken, or goes at once, is not worth a line', async () => {
  const receiver = await running()
  await sends(receiver.http, 'nonsense\r\n\r\n')
  for (const address of [receiver.http, receiver.grpc]) {
    const socket = connectTo(address)
    await once(socket, 'connect')
    socket.destroy()
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(said(receiver)).toEqual([])
})

describe('a port with TLS', () => {
  test('clear text, no certificate, no trust', async () => {
    const keys = { cert_file: made.server.cert, key_file: made.server.key, client_ca_file: made.ca }
    const receiver = await running({ grpc: { tls: keys }, http: { tls: keys } })
    await sends(receiver.http, 'GET / HTTP/1.1\r\n\r\n')
    await sends(receiver.grpc, PREFACE)
    const bare = tls.connect({
      port: Number(receiver.http.split(':').at(-1)),
      host: '127.0.0.1',
      ca: made.read(made.ca),
    })
    cleanups.push(() => bare.destroy())
    bare.on('error', () => {})
    await new Promise((resolve) => bare.once('close', resolve))
    await expect.poll(() => said(receiver)).toHaveLength(3)
    expect(said(receiver).slice(0, 2)).toEqual(
      Array(2).fill('the client at PEER speaks clear text to a port with TLS; it has to use TLS, or `tls` to go here'),
    )
    expect(said(receiver)[2]).toContain('shows no certificate')
  })
})
