// How much a client may send unasked, as its own HTTP/2 library sees the server's SETTINGS. What this does not show: that
// wide windows are faster (bench case `pass`).
import * as http2 from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { Admission, CONNECTION_BYTES } from '../../src/transport/admission.ts'
import { serveGrpc } from '../../src/transport/grpc-server.ts'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { Reservation } from '../../src/transport/reservation.ts'
import type { CallStatus, Server, ServerHandler } from '../../src/transport/unary.ts'

const MIB = 1 << 20
const WIDE = MIB
const NARROW = 65_535
const SHUT = 32_768
const CONNECTION = CONNECTION_BYTES.http2
/** What a wide one is booked with. */
const MORE = WIDE - (NARROW + 1)

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(admission: Admission, handler: ServerHandler): Promise<Server> {
  const server = await serveGrpc(
    {
      address: { host: '127.0.0.1', port: 0 },
      configuredBy: 'test',
      signals: ['traces'],
      maxMessageBytes: 4 * MIB,
      admission,
    },
    handler,
  )
  cleanups.push(() => server.close(AbortSignal.abort()))
  return server
}

function accept(): ServerHandler {
  return {
    handle(call) {
      call.reservation.release()
      call.ok()
    },
  }
}

function connect(server: Server): http2.ClientHttp2Session {
  const session = http2.connect(`http://${server.address}`)
  session.on('error', () => {})
  cleanups.push(() => session.destroy())
  return session
}

/** A call that sends `bytes`; resolves with its gRPC status. */
function call(session: http2.ClientHttp2Session, bytes: Uint8Array): Promise<string> {
  const stream = session.request({
    ':method': 'POST',
    ':path': GRPC_PATHS.traces,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.on('error', () => {})
  return new Promise((resolve) => {
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) resolve(String(headers['grpc-status']))
    })
    stream.on('trailers', (headers) => resolve(String(headers['grpc-status'])))
    stream.resume()
    stream.end(bytes)
  })
}

const EMPTY_MESSAGE = new Uint8Array(5)

function windowOf(session: http2.ClientHttp2Session): number | undefined {
  return session.remoteSettings?.initialWindowSize
}

function begun(admission: Admission): Reservation {
  const reservation = admission.begin(false)
  if (!(reservation instanceof Reservation)) throw new Error(reservation.message)
  return reservation
}

test('wide where there is room, which is booked; narrow where there is not; all given back at the end', async () => {
  // The connections' quarter is 20 MiB; they are widened while they have 5 of that at most.
  const admission = new Admission(Admission.memory(4 * 20 * MIB))
  const server = await serve(admission, accept())
  const sessions = Array.from({ length: 20 }, () => connect(server))
  for (const session of sessions) expect(await call(session, EMPTY_MESSAGE)).toBe('0')
  const wide = sessions.filter((session) => windowOf(session) === WIDE).length
  const narrow = sessions.filter((session) => windowOf(session) === NARROW).length
  expect(wide + narrow).toBe(20)
  // Five without the minimums of the others, four with the 0.8 MiB of all twenty, by who came first.
  expect(wide).toBeGreaterThanOrEqual(4)
  expect(wide).toBeLessThanOrEqual(5)
  expect(admission.connections).toBe(20 * CONNECTION + wide * MORE)
  for (const session of sessions) session.close()
  await expect.poll(() => admission.connections).toBe(0)
})

test('shut while requests are refused, wide again a second after the last', async () => {
  const admission = new Admission(Admission.memory(64 * MIB))
  const server = await serve(admission, accept())
  const session = connect(server)
  expect(await call(session, EMPTY_MESSAGE)).toBe('0')
  await expect.poll(() => windowOf(session)).toBe(WIDE)
  const hog = begun(admission)
  expect(hog.take(admission.limit - 8192)).toBeUndefined()
  // 4 KiB for the call are there, 100 KiB for its message are not.
  const message = new Uint8Array(5 + 100_000)
  new DataView(message.buffer).setUint32(1, 100_000)
  expect(await call(session, message)).toBe('14')
  await expect.poll(() => windowOf(session)).toBe(SHUT)
  await expect.poll(() => admission.connections).toBe(CONNECTION)
  hog.release()
  expect(await call(session, message)).toBe('0')
  await expect
    .poll(
      async () => {
        await call(session, EMPTY_MESSAGE)
        return windowOf(session)
      },
      { timeout: 5000 },
    )
    .toBe(WIDE)
  expect(admission.reserved).toBe(0)
})

test('what a call may send while its authoriser thinks is booked to it', async () => {
  const admission = new Admission(Admission.memory(64 * MIB))
  const verdict = Promise.withResolvers<CallStatus | undefined>()
  const server = await serve(admission, { ...accept(), authorise: () => verdict.promise })
  const session = connect(server)
  const message = new Uint8Array(5 + 100_000)
  new DataView(message.buffer).setUint32(1, 100_000)
  const answered = call(session, message)
  // 4 KiB for the call and its window of a MiB.
  await expect.poll(() => admission.reserved).toBe(4096 + WIDE)
  verdict.resolve(undefined)
  expect(await answered).toBe('0')
  expect(admission.reserved).toBe(0)
})

test('a connection beyond what there is room for is closed, and the others go on', async () => {
  const admission = new Admission(Admission.memory(4 * 3 * CONNECTION))
  const server = await serve(admission, accept())
  const sessions = Array.from({ length: 3 }, () => connect(server))
  for (const session of sessions) expect(await call(session, EMPTY_MESSAGE)).toBe('0')
  const fourth = connect(server)
  await new Promise<void>((resolve) => fourth.once('close', resolve))
  for (const session of sessions) expect(await call(session, EMPTY_MESSAGE)).toBe('0')
  sessions[0]!.destroy()
  await expect.poll(() => admission.connections).toBe(2 * CONNECTION)
  expect(await call(connect(server), EMPTY_MESSAGE)).toBe('0')
})
