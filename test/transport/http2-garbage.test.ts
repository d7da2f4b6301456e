import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { arenas } from '../../src/otlp/arena.ts'
import { Admission } from '../../src/transport/admission.ts'
import { messagePrefix } from '../../src/transport/grpc-message.ts'
import { serveGrpc } from '../../src/transport/grpc-server.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { jsClient } from './support/grpc-peers.ts'

// Frames that no client sends: any types, flags, streams and payloads, mixed with the beginnings of good calls. Whatever comes, the
// server ends that connection or goes on with it; an error that escaped would fail the run. It does not prove that the
// frames are refused as RFC 9113 says: that is nghttp2's.

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const START = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))])

/** The header block of a good call, by literals without indexing (RFC 7541, section 6.2.2). */
const HEADERS = Buffer.concat(
  Object.entries({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': GRPC_PATHS.traces,
    ':authority': 'x',
    'content-type': 'application/grpc',
    te: 'trailers',
  }).map(([name, value]) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]),
  ),
)

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const streamId = fc.constantFrom(0, 1, 2, 3, 5, 7, 0x7fff_ffff)
const anyFrame = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), streamId, bytes(60))
  .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload))
const call = fc
  .tuple(fc.constantFrom(1, 3, 5, 7), fc.constantFrom(4, 5))
  .map(([stream, flags]) => frame(1, flags, stream, HEADERS))
const message = fc
  .tuple(fc.constantFrom(1, 3, 5, 7), fc.constantFrom(0, 1), fc.integer({ min: 0, max: 2000 }), bytes(50))
  .map(([stream, flags, announced, part]) =>
    frame(0, flags, stream, Buffer.concat([messagePrefix(announced, false), part])),
  )
const reset = fc.constantFrom(1, 3, 5, 7).map((stream) => frame(3, 0, stream, Buffer.from([0, 0, 0, 8])))
const ping = bytes(8).map((payload) => frame(6, 0, 0, Buffer.concat([payload, Buffer.alloc(8)]).subarray(0, 8)))
const conversation = fc.array(
  fc.oneof(
    anyFrame,
    call,
    message,
    reset,
    ping,
    bytes(30).map((raw) => Buffer.from(raw)),
  ),
  {
    minLength: 1,
    maxLength: 12,
  },
)

test('any frames end their own connection at most, and leave nothing booked', async () => {
  const admission = Admission.unbounded()
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 1000,
      admission,
      keepalive: { maxConnectionIdleMs: 10_000, pings: { minTimeMs: 60_000, permitWithoutStream: false } },
      readTimeoutMs: 5000,
    },
    {
      handle(incoming) {
        incoming.reservation.release()
        setImmediate(() => incoming.ok())
      },
    },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const port = Number(server.address.split(':')[1])

  await fc.assert(
    fc.asyncProperty(conversation, fc.boolean(), async (frames, atOnce) => {
      const socket = net.connect(port, '127.0.0.1')
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('error', () => {})
      socket.resume()
      await once(socket, 'connect')
      socket.write(START)
      if (atOnce) socket.write(Buffer.concat(frames))
      else
        for (const each of frames) {
          socket.write(each)
          await new Promise((resolve) => setImmediate(resolve))
        }
      socket.end()
      setTimeout(() => socket.destroy(), 3)
      await closed
    }),
    { numRuns: 400, seed: 4317 },
  )

  const client = jsClient(server.address)
  cleanups.push(() => client.close())
  expect((await client.call(new Uint8Array(100))).error).toBeUndefined()
  await expect.poll(() => admission.reserved).toBe(0)
  expect(arenas.held).toBe(0)
})

test('the good call among them is one', async () => {
  // Else the frames above would say less than they seem to.
  let handled = 0
  const server = await serveGrpc(
    { address: { host: '127.0.0.1', port: 0 }, configuredBy: 'test', signals: ['traces'], maxMessageBytes: 1000 },
    {
      handle(incoming) {
        handled++
        incoming.reservation.release()
        incoming.ok()
      },
    },
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  const socket = net.connect(Number(server.address.split(':')[1]), '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.resume()
  const body = Buffer.concat([messagePrefix(3, false), Buffer.from('abc')])
  socket.write(
    Buffer.concat([START, frame(1, 4, 1, HEADERS), frame(0, http2.constants.NGHTTP2_FLAG_END_STREAM, 1, body)]),
  )
  await expect.poll(() => handled).toBe(1)
})
