import * as http2 from 'node:http2'
import * as net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { messagePrefix } from '../../src/transport/grpc-message.ts'
import { serveGrpc } from '../../src/transport/grpc-server.ts'
import { jittered, type ServerKeepalive } from '../../src/transport/grpc-server-keepalive.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import type { ServerCall } from '../../src/transport/unary.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Connected {
  readonly session: http2.ClientHttp2Session
  /** `goaway` and `close`, as they happened. */
  readonly events: string[]
  /** Begins a call; the server holds it until the test answers. */
  readonly call: () => Promise<string | undefined>
  readonly held: ServerCall[]
  readonly socket: net.Socket
}

async function connect(keepalive: ServerKeepalive): Promise<Connected> {
  const held: ServerCall[] = []
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 1000,
      keepalive,
    },
    { handle: (call) => void held.push(call) },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const socket = net.connect(Number(server.address.split(':')[1]), '127.0.0.1')
  const session = http2.connect(`http://${server.address}`, { createConnection: () => socket })
  cleanups.push(() => session.destroy())
  const events: string[] = []
  session.on('error', () => {})
  // Node repeats the frame when the connection ends.
  session.once('goaway', () => events.push('goaway'))
  session.on('close', () => events.push('close'))
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  return {
    session,
    events,
    held,
    socket,
    call: () =>
      new Promise((resolve) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': GRPC_PATHS.traces,
          'content-type': 'application/grpc',
          te: 'trailers',
        })
        let status: string | undefined
        stream.on('trailers', (trailers) => {
          status = String(trailers['grpc-status'])
        })
        stream.on('error', () => {})
        stream.on('close', () => resolve(status))
        stream.resume()
        stream.end(messagePrefix(0, false))
      }),
  }
}

test('a connection that is idle for too long is asked to leave; a call keeps it', async () => {
  const { call, events, held } = await connect({ maxConnectionIdleMs: 400 })
  const answer = call()
  await expect.poll(() => held.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 800))
  expect(events).toEqual([])
  held[0]!.ok()
  expect(await answer).toBe('0')
  await expect.poll(() => events).toEqual(['goaway', 'close'])
})

test('a connection that is old lets its calls finish', async () => {
  const { call, events, held } = await connect({ maxConnectionAgeMs: 400 })
  const answer = call()
  await expect.poll(() => held.length).toBe(1)
  await expect.poll(() => events).toEqual(['goaway'])
  held[0]!.ok()
  expect(await answer).toBe('0')
  await expect.poll(() => events).toEqual(['goaway', 'close'])
})

test('a connection that is old is cut after the grace', async () => {
  const { call, events } = await connect({ maxConnectionAgeMs: 50, maxConnectionAgeGraceMs: 50 })
  expect(await call()).toBeUndefined()
  expect(events[0]).toBe('goaway')
})

test('a client that leaves a ping unanswered is given up; one that answers stays', async () => {
  const { events, socket, session } = await connect({ pingEveryMs: 100, pingTimeoutMs: 500 })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(session.closed).toBe(false)
  expect(events).toEqual([])
  // Reads nothing more, so no ping is answered; the end is only seen once it reads again.
  socket.pause()
  const paused = new Promise((resolve) => setTimeout(resolve, 1000))
  ;(socket as unknown as { _handle: { readStop(): void } })._handle.readStop()
  await paused
  ;(socket as unknown as { _handle: { readStart(): void } })._handle.readStart()
  await expect.poll(() => session.destroyed).toBe(true)
})

test('a connection that says nothing at all is cut', async () => {
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 1000,
      keepalive: { handshakeTimeoutMs: 50 },
    },
    { handle: (call) => call.ok() },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const mute = net.connect(Number(server.address.split(':')[1]), '127.0.0.1')
  mute.on('error', () => {})
  mute.resume()
  await new Promise((resolve) => mute.once('close', resolve))
})

test('ages differ by a tenth at most, so that clients do not return all at once', () => {
  expect([0, 0.5, 1].map((chance) => jittered(1000, chance))).toEqual([900, 1000, 1100])
})

/** Pings and waits for the answer; false once the connection has ended. */
function ping(session: http2.ClientHttp2Session): Promise<boolean> {
  return new Promise((resolve) => {
    session.once('close', () => resolve(false))
    if (session.destroyed || !session.ping((error) => resolve(error === null))) resolve(false)
  })
}

test('the fourth ping that comes too early ends the connection, with the reason', async () => {
  const { session } = await connect({ pings: { minTimeMs: 60_000, permitWithoutStream: true } })
  const reasons: string[] = []
  session.once('goaway', (code, _last, data) => reasons.push(`${code} ${String(data)}`))
  // The first has none before it; two more are let pass.
  expect([await ping(session), await ping(session), await ping(session)]).toEqual([true, true, true])
  expect(session.destroyed).toBe(false)
  void ping(session)
  await expect.poll(() => session.destroyed).toBe(true)
  expect(reasons).toEqual([`${http2.constants.NGHTTP2_ENHANCE_YOUR_CALM} too_many_pings`])
})

test('an answer forgives early pings', async () => {
  const { call, held, session } = await connect({ pings: { minTimeMs: 60_000, permitWithoutStream: true } })
  for (let round = 0; round < 4; round++) {
    const answer = call()
    await expect.poll(() => held.length).toBe(round + 1)
    held[round]!.ok()
    expect(await answer).toBe('0')
    expect([await ping(session), await ping(session), await ping(session)]).toEqual([true, true, true])
  }
})

test.each([
  [undefined, 1024],
  [3, 3],
])('max_concurrent_streams %s: clients are told %i', async (maxConcurrentStreams, told) => {
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 1000,
      ...(maxConcurrentStreams !== undefined && { maxConcurrentStreams }),
    },
    { handle: (call) => call.ok() },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const session = http2.connect(`http://${server.address}`)
  cleanups.push(() => session.destroy())
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  expect(session.remoteSettings.maxConcurrentStreams).toBe(told)
})
