import { mkdtempSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type HttpServerOptions, serveHttp } from '../../src/transport/http-server.ts'
import type { Server, ServerHandler } from '../../src/transport/unary.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(options: Partial<HttpServerOptions> = {}, handler?: ServerHandler): Promise<Server> {
  const server = await serveHttp(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      paths: new Map([['/v1/traces', 'traces']]),
      maxBodyBytes: 1000,
      encodings: new Set(['', 'gzip']),
      readTimeoutMs: 0,
      readHeaderTimeoutMs: 0,
      writeTimeoutMs: 0,
      idleTimeoutMs: 60_000,
      keepAlives: true,
      responseHeaders: {},
      ...options,
    },
    handler ?? { handle: (call) => call.ok() },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  return server
}

const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'

/** What comes back for raw bytes until the server ends the connection. */
function exchange(address: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(address.split(':').at(-1)), '127.0.0.1')
    let seen = ''
    socket.on('data', (part) => {
      seen += part.toString()
    })
    socket.on('close', () => resolve(seen))
    socket.on('error', reject)
    socket.write(text)
  })
}

test('a connection serves one request after the other', async () => {
  const { address } = await serve()
  const two = `${HEAD}Content-Length: 0\r\n\r\n${HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n`
  expect((await exchange(address, two)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
})

test('with keep-alives off it serves one', async () => {
  const { address } = await serve({ keepAlives: false, responseHeaders: { 'x-served-by': 'sluice' } })
  const seen = await exchange(address, `${HEAD}Content-Length: 0\r\n\r\n`)
  expect(seen).toMatch(/^connection: close\r$/im)
  expect(seen).toMatch(/^x-served-by: sluice\r$/im)
})

test('a request that stands still is ended by the write time-out', async () => {
  let gone = 0
  const { address } = await serve({ writeTimeoutMs: 60 }, { handle: (call) => call.onGone(() => gone++) })
  expect(await exchange(address, `${HEAD}Content-Length: 0\r\n\r\n`)).toBe('')
  await expect.poll(() => gone).toBe(1)
})

test('a client that is refused by its headers is answered although it goes on sending', async () => {
  const { address } = await serve({}, { authorise: () => ({ code: 16, message: 'who?' }), handle: (call) => call.ok() })
  const seen = await exchange(address, `${HEAD}Content-Length: 500\r\n\r\n${'x'.repeat(100)}`)
  // And cut after a while.
  expect(seen).toMatch(/^HTTP\/1\.1 401 /)
})

test('a client that sends all of a large body before it reads is answered, and its connection goes on', async () => {
  const { address } = await serve({}, { authorise: () => ({ code: 16, message: 'who?' }), handle: (call) => call.ok() })
  const large = 'x'.repeat(16 << 20)
  const next = `${HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n`
  const seen = await exchange(address, `${HEAD}Content-Length: ${large.length}\r\n\r\n${large}${next}`)
  expect(seen.match(/HTTP\/1\.1 401 /g)).toHaveLength(2)
})

test('so it is where the connection is not to go on', async () => {
  const { address } = await serve(
    { keepAlives: false },
    { authorise: () => ({ code: 16, message: 'who?' }), handle: (call) => call.ok() },
  )
  const large = 'x'.repeat(16 << 20)
  const seen = await exchange(address, `${HEAD}Content-Length: ${large.length}\r\n\r\n${large}`)
  expect(seen.match(/HTTP\/1\.1 401 /g)).toHaveLength(1)
})

test('garbage is a 400 and the end of that connection only', async () => {
  const { address } = await serve()
  expect(await exchange(address, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatch(/^(HTTP\/1\.1 400 |$)/)
  expect(await exchange(address, `${HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
})

test('a client that breaks off in the middle of its body leaves nothing behind', async () => {
  let handled = 0
  const { address } = await serve(
    {},
    {
      handle(call) {
        handled++
        call.ok()
      },
    },
  )
  await new Promise<void>((resolve) => {
    const socket = net.connect(Number(address.split(':').at(-1)), '127.0.0.1')
    socket.on('close', () => resolve())
    socket.write(`${HEAD}Content-Length: 500\r\n\r\nabc`)
    setTimeout(() => socket.destroy(), 20)
  })
  expect(await exchange(address, `${HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  expect(handled).toBe(1)
})

test('a Unix domain socket is an address like any other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'otlp.sock')
  const peers: string[] = []
  const server = await serve(
    { address: { path } },
    {
      handle(call) {
        peers.push(call.head.peer)
        call.ok()
      },
    },
  )
  expect(server.address).toBe(`unix:${path}`)
  const status = await new Promise((resolve) => {
    const request = http.request(
      { socketPath: path, path: '/v1/traces', method: 'POST', headers: { 'content-type': 'application/x-protobuf' } },
      (response) => resolve(response.resume().statusCode),
    )
    request.end()
  })
  expect(status).toBe(200)
  expect(peers).toEqual(['unix'])
})

test('a connection that many requests were refused on remembers none of them', async () => {
  const { address } = await serve({}, { authorise: () => ({ code: 16, message: 'who?' }), handle: (call) => call.ok() })
  const port = Number(address.split(':').at(-1))
  const socket = net.connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  const said = (): Promise<string> => new Promise((resolve) => socket.once('data', (part) => resolve(part.toString())))
  const listeners = (): number => serverSide(port).listenerCount('close')
  const refusals: number[] = []
  for (let i = 0; i < 12; i++) {
    const answer = said()
    // After the body of the one before, which came too late for anybody to read.
    socket.write(`${i === 0 ? '' : '0123456789'}${HEAD}Content-Length: 10\r\n\r\n`)
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /)
    refusals.push(listeners())
  }
  expect(refusals).toEqual(refusals.map(() => refusals[0]))
})

/** The one connection that a server on `port` has. */
function serverSide(port: number): net.Socket {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()
  return handles.filter((handle) => handle instanceof net.Socket).find((socket) => socket.localPort === port)!
}
