import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { httpClient } from '../../src/transport/http-client.ts'
import { type Client, GRPC } from '../../src/transport/unary.ts'

/** More than the buffers of two sockets hold. */
const BODY_BYTES = 32 << 20
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n'

let server: Server
let client: Client
const sockets: Socket[] = []

afterEach(async () => {
  await client.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

async function serve(connected: (socket: Socket) => void): Promise<void> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    connected(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  client = httpClient({
    urls: { traces: `http://127.0.0.1:${port}/v1/traces` },
    userAgent: 'test',
    contentType: 'application/x-protobuf',
    now: () => 0,
  })
}

/** Reads a request and gives its body's length and the bytes that are not 7. */
function bodyOf(socket: Socket, done: (length: number, others: number) => void): void {
  let head = ''
  let length = 0
  let others = 0
  socket.on('data', (chunk: Buffer) => {
    let body = chunk
    if (!head.includes('\r\n\r\n')) {
      head += chunk.toString('latin1')
      const at = head.indexOf('\r\n\r\n')
      if (at < 0) return
      body = Buffer.from(head.slice(at + 4), 'latin1')
      head = head.slice(0, at + 4)
    }
    length += body.length
    for (const byte of body) if (byte !== 7) others++
    if (length === BODY_BYTES) done(length, others)
  })
}

test('an answer that comes before the body was read leaves the body to the socket until it is sent', async () => {
  const read: { length: number; others: number }[] = []
  await serve((socket) => {
    socket.pause()
    socket.write(ANSWER)
    bodyOf(socket, (length, others) => read.push({ length, others }))
    socket.pause()
  })
  const body = Buffer.alloc(BODY_BYTES, 7)
  let released = false
  const called = client.call('traces', [body], {
    timeoutMs: 10_000,
    release() {
      released = true
      // Whoever gets the memory next writes to it.
      body.fill(1)
    },
  })
  await vi.waitFor(() => expect(sockets).toHaveLength(1), { timeout: 10_000 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(released).toBe(false)
  sockets[0]!.resume()
  expect(await called).toMatchObject({ ok: true })
  await vi.waitFor(() => expect(read).toEqual([{ length: BODY_BYTES, others: 0 }]), { timeout: 10_000 })
  await vi.waitFor(() => expect(released).toBe(true), { timeout: 10_000 })
})

test('a request that runs out of time gives its body back with its socket', async () => {
  await serve((socket) => socket.pause())
  let released = 0
  const result = await client.call('traces', [Buffer.alloc(BODY_BYTES)], { timeoutMs: 50, release: () => released++ })
  expect(result).toMatchObject({ ok: false, status: { code: GRPC.DEADLINE_EXCEEDED } })
  await vi.waitFor(() => expect(released).toBe(1), { timeout: 10_000 })
})

test('a request that no socket ever had gives its body back', async () => {
  await serve(() => {})
  await new Promise<void>((resolve) => server.close(() => resolve()))
  let released = 0
  const result = await client.call('traces', [Buffer.alloc(10)], { timeoutMs: 1000, release: () => released++ })
  expect(result).toMatchObject({ ok: false, connection: 'ECONNREFUSED' })
  expect(released).toBe(1)
})

test('what was sent whole is given back with the answer', async () => {
  await serve((socket) => bodyOf(socket, () => socket.write(ANSWER)))
  let released = 0
  const result = await client.call('traces', [Buffer.alloc(BODY_BYTES / 2, 7), Buffer.alloc(BODY_BYTES / 2, 7)], {
    timeoutMs: 10_000,
    release: () => released++,
  })
  expect(result).toMatchObject({ ok: true })
  expect(released).toBe(1)
})
