import { once } from 'node:events'
import { expect, test } from 'vitest'
import { connectTo } from './support/raw-clients.ts'
import { type Running, running } from './support/running.ts'

// Clients at the wrong port. Each sees its connection end; whoever runs the receiver reads why.

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HELLO = Buffer.from('16030100a5010000a1030300', 'hex')

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
