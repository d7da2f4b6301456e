// A peer that stops reading in the middle of a request: the attempt times out, the retry goes elsewhere, and its memory
// comes back to the pool only when the stalled socket has let go of it. Not shown here: TLS, whose records are copies.
import * as http from 'node:http'
import * as net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { grpcClient } from '../../src/transport/grpc-client.ts'
import type { Client } from '../../src/transport/unary.ts'
import { jsServer } from '../transport/support/grpc-peers.ts'
import { client as httpClientTo } from '../transport/support/http-out.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** More than the sockets of both sides buffer. */
const LENGTH = 24 << 20
const DATA = 0
const SETTINGS = 4

function client(port: number): Client {
  const target = parseGrpcTarget(`127.0.0.1:${port}`)
  if (typeof target === 'string') throw new Error(target)
  const made = grpcClient({ target, userAgent: 'sluice-test', probeTimeoutMs: 60_000 })
  cleanups.push(() => made.close())
  return made
}

function frame(type: number, payload: Uint8Array, stream = 0): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Speaks just enough HTTP/2 to be sent a large body, and reads nothing of it until `drain`. */
async function stalledPeer(): Promise<{ port: number; drain(): void; received(): Buffer }> {
  const chunks: Buffer[] = []
  const sockets: net.Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    // INITIAL_WINDOW_SIZE of a stream, then as much for the connection.
    const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])
    const more = Buffer.alloc(4)
    more.writeUInt32BE(0x7fffffff - 65_535)
    socket.write(Buffer.concat([frame(SETTINGS, window), frame(8, more)]))
    socket.once('data', (chunk: Buffer) => {
      chunks.push(chunk)
      socket.on('data', (next: Buffer) => chunks.push(next))
      socket.pause()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as net.AddressInfo).port,
    drain: () => {
      for (const socket of sockets) socket.resume()
    },
    received: () => Buffer.concat(chunks),
  }
}

/** Payloads of the DATA frames behind the connection preface. */
function dataOf(wire: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 24; at + 9 <= wire.length; ) {
    const length = wire.readUIntBE(at, 3)
    if (wire[at + 3] === DATA) parts.push(wire.subarray(at + 9, at + 9 + length))
    at += 9 + length
  }
  return Buffer.concat(parts)
}

test.each(['drains', 'goes away'])('after a time-out and a retry elsewhere the first reader %s', async (end) => {
  const stalled = await stalledPeer()
  const healthy = await jsServer()
  cleanups.push(() => healthy.kill())
  const body = arenas.take(LENGTH)
  for (let i = 0; i < LENGTH; i += 4) body.writeUInt32LE(i, i)
  const sent = Buffer.from(body)
  let held = 2
  const release = (): void => {
    held--
    arenas.release(body)
  }
  arenas.retain(body)
  const first = client(stalled.port)
  const result = await first.call('traces', [body], { timeoutMs: 500, release })
  expect(result).toMatchObject({ ok: false, status: { code: 4 } })
  expect(held).toBe(2)
  const again = await client(healthy.port).call('traces', [body], { timeoutMs: 0, release })
  expect(again.ok).toBe(true)
  expect(held).toBe(1)
  expect(Buffer.compare(healthy.received[0]!.body, sent)).toBe(0)
  // Whoever comes next writes over whatever is free.
  for (let i = 0; i < 4; i++) arenas.release(arenas.take(LENGTH).fill(0xee))

  if (end === 'drains') stalled.drain()
  else await first.close()
  await expect.poll(() => held, { timeout: 10_000 }).toBe(0)
  const seen = dataOf(stalled.received()).subarray(5)
  expect(Buffer.compare(seen, sent.subarray(0, seen.length))).toBe(0)
  if (end === 'drains') expect(seen.length).toBeGreaterThan(64 << 10)
})

test('over HTTP/1.1, too: the first connection is cut, and what had gone out on it is of the request', async () => {
  const chunks: Buffer[] = []
  const sockets: net.Socket[] = []
  const stalled = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      if (chunks.length === 0) socket.pause()
      chunks.push(chunk)
    })
  })
  const received: Buffer[] = []
  const healthy = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push(Buffer.concat(parts))
      response.end()
    })
  })
  for (const server of [stalled, healthy]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => server.close())
  }
  const urlOf = (server: net.Server): string => `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`
  const body = arenas.take(LENGTH)
  for (let i = 0; i < LENGTH; i += 4) body.writeUInt32LE(i, i)
  const sent = Buffer.from(body)
  let held = 2
  const release = (): void => {
    held--
    arenas.release(body)
  }
  arenas.retain(body)
  const result = await httpClientTo(urlOf(stalled)).call('traces', [body], { timeoutMs: 500, release })
  expect(result.ok).toBe(false)
  const again = await httpClientTo(urlOf(healthy)).call('traces', [body], { timeoutMs: 0, release })
  expect(again.ok).toBe(true)
  expect(Buffer.compare(received[0]!, sent)).toBe(0)
  await expect.poll(() => held, { timeout: 10_000 }).toBe(0)
  // Whoever comes next writes over what is free now, while the first reader has not read what the kernel holds for it.
  for (let i = 0; i < 4; i++) arenas.release(arenas.take(LENGTH).fill(0xee))
  const closed = new Promise((resolve) => sockets[0]!.once('close', resolve))
  sockets[0]!.resume()
  await closed
  const wire = Buffer.concat(chunks)
  const seen = wire.subarray(wire.indexOf('\r\n\r\n') + 4)
  expect(seen.length).toBeGreaterThan(64 << 10)
  expect(Buffer.compare(seen, sent.subarray(0, seen.length))).toBe(0)
})
