import { constants, deflateRawSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { Admission } from '../../src/transport/admission.ts'
import { compressedForm, passesAsItIs } from '../../src/transport/compressed-form.ts'
import { decompressBody } from '../../src/transport/decompress-body.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { grpcClient } from '../../src/transport/grpc-client.ts'
import { serveGrpc } from '../../src/transport/grpc-server.ts'
import { httpClient } from '../../src/transport/http-client.ts'
import { serveHttp } from '../../src/transport/http-server.ts'
import { Reservation } from '../../src/transport/reservation.ts'
import type { CallResult, Client, Server, ServerCall, ServerHandler } from '../../src/transport/unary.ts'

const BODY = Buffer.alloc(100_000, 'what nobody touches leaves as it came ')
/** No level of ours makes the same bytes. */
const GZIP = gzipSync(BODY, { level: 9, memLevel: 1 })
const ZSTD = zstdCompressSync(BODY, {
  params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 },
  pledgedSrcSize: BODY.length,
})

/** A gzip member without content: `flags`, then what they say and the deflate stream, in hex. */
function empty(rest: string, flags = 0): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255])
  const member = Buffer.concat([header, Buffer.from(rest.replaceAll(' ', ''), 'hex'), Buffer.alloc(8)])
  if (gunzipSync(member).length > 0) throw new Error('not empty')
  return member
}

describe('what every decoder reads to its end', () => {
  test.each([
    ['one gzip member', 'gzip', GZIP, true],
    ['two gzip members', 'gzip', Buffer.concat([gzipSync(BODY.subarray(0, 10)), gzipSync(BODY.subarray(10))]), false],
    ['an empty gzip member before it', 'gzip', Buffer.concat([gzipSync(Buffer.alloc(0)), GZIP]), false],
    // As Go's writer ends a stream that nothing was written to.
    ['an empty gzip member of a stored block before it', 'gzip', Buffer.concat([empty('01 00 00 ff ff'), GZIP]), false],
    ['an empty gzip member of two blocks before it', 'gzip', Buffer.concat([empty('02 0c 00'), GZIP]), false],
    ['an empty gzip member with a name before it', 'gzip', Buffer.concat([empty('61 00 03 00', 8), GZIP]), false],
    ['one gzip member that is stored', 'gzip', gzipSync(BODY, { level: 0 }), true],
    ['gzip with padding behind it', 'gzip', Buffer.concat([GZIP, Buffer.alloc(4)]), false],
    ['one zstd frame', 'zstd', ZSTD, true],
    ['two zstd frames', 'zstd', Buffer.concat([ZSTD, ZSTD]), false],
    [
      'a zstd frame that does not say how long it is',
      'zstd',
      zstdCompressSync(BODY, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } }),
      true,
    ],
    ['a zlib stream, of which there are two kinds', 'deflate', deflateRawSync(BODY), false],
  ] as const)('%s', (_what, encoding, bytes, passes) => {
    expect(passesAsItIs({ encoding, bytes }, BODY.length)).toBe(passes)
  })

  test('not a zstd frame whose window a decoder need not have', () => {
    const large = zstdCompressSync(Buffer.alloc(20 << 20), {
      params: { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_contentSizeFlag]: 1 },
      pledgedSrcSize: 20 << 20,
    })
    expect(passesAsItIs({ encoding: 'zstd', bytes: large }, 20 << 20)).toBe(false)
  })
})

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Protocol = 'grpc' | 'http'

async function serve(protocol: Protocol, handler: ServerHandler, admission = Admission.unbounded()): Promise<Server> {
  const shared = { address: { host: '127.0.0.1', port: 0 }, configuredBy: 'test', admission }
  const server =
    protocol === 'grpc'
      ? await serveGrpc({ ...shared, signals: ['traces'], maxMessageBytes: 4 << 20 }, handler)
      : await serveHttp(
          {
            ...shared,
            paths: new Map([['/v1/traces', 'traces']]),
            maxBodyBytes: 4 << 20,
            encodings: new Set(['', 'gzip', 'zstd']),
            readTimeoutMs: 0,
            readHeaderTimeoutMs: 0,
            writeTimeoutMs: 0,
            idleTimeoutMs: 60_000,
            keepAlives: true,
            responseHeaders: {},
          },
          handler,
        )
  cleanups.push(() => server.close(AbortSignal.abort()))
  return server
}

interface Out {
  readonly compression?: 'gzip' | 'zstd'
  readonly compressionLevel?: number
}

function clientOf(protocol: Protocol, address: string, out: Out): Client {
  const target = parseGrpcTarget(address)
  if (typeof target === 'string') throw new Error(target)
  const client =
    protocol === 'grpc'
      ? grpcClient({ target, userAgent: 'test', clock: systemClock, ...out })
      : httpClient({
          urls: { traces: `http://${address}/v1/traces` },
          userAgent: 'test',
          contentType: 'application/x-protobuf',
          now: () => 0,
          ...out,
        })
  cleanups.push(() => client.close())
  return client
}

/** Sends `bytes`, which were compressed elsewhere, through a hop that forwards what `forward` makes of them; gives what arrives. */
async function through(
  from: Protocol,
  to: Protocol,
  encoding: 'gzip' | 'zstd',
  bytes: Uint8Array,
  out: Out = { compression: encoding },
  forward: (call: ServerCall) => readonly Uint8Array[] = (call) => [call.body],
): Promise<{ readonly body: Buffer; readonly form: Buffer | undefined; readonly admission: Admission }> {
  const arrived: { body: Buffer; form: Buffer | undefined }[] = []
  const last = await serve(to, {
    handle(call) {
      const form = compressedForm(call.body, encoding)
      arrived.push({ body: Buffer.from(call.body), form: form && Buffer.from(form) })
      call.reservation.release()
      call.ok()
    },
  })
  const onward = clientOf(to, last.address, out)
  const admission = Admission.unbounded()
  const answers: CallResult[] = []
  const hop = await serve(
    from,
    {
      handle(call) {
        const chunks = forward(call)
        arenas.retainAll(chunks)
        const release = (): void => arenas.releaseAll(chunks)
        void onward.call('traces', chunks, { timeoutMs: 5000, release }).then((answer) => {
          answers.push(answer)
          call.reservation.release()
          call.ok()
        })
      },
    },
    admission,
  )
  const response = await post(from, hop.address, encoding, bytes)
  expect(response).toBe(200)
  expect(answers).toMatchObject([{ ok: true }])
  expect(arrived).toHaveLength(1)
  return { ...arrived[0]!, admission }
}

/** A call whose body is compressed already; the HTTP status. */
async function post(protocol: Protocol, address: string, encoding: string, bytes: Uint8Array): Promise<number> {
  if (protocol === 'http') {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': encoding }
    const body = Buffer.from(bytes)
    return (await fetch(`http://${address}/v1/traces`, { method: 'POST', headers, body })).status
  }
  const { connect } = await import('node:http2')
  const { GRPC_PATHS } = await import('../../src/transport/otlp-services.ts')
  const { messagePrefix } = await import('../../src/transport/grpc-message.ts')
  const session = connect(`http://${address}`)
  cleanups.push(() => session.destroy())
  const stream = session.request({
    ':method': 'POST',
    ':path': GRPC_PATHS.traces,
    'content-type': 'application/grpc',
    'grpc-encoding': encoding,
    te: 'trailers',
  })
  stream.end(Buffer.concat([messagePrefix(bytes.length, true), bytes]))
  stream.resume()
  const status = await new Promise<unknown>((resolve, reject) => {
    stream.on('trailers', (trailers) => resolve(trailers['grpc-status']))
    stream.on('error', reject)
  })
  return status === '0' ? 200 : Number(status)
}

describe.each(['grpc', 'http'] as const)('in by %s', (from) => {
  describe.each(['grpc', 'http'] as const)('out by %s', (to) => {
    test.each([
      ['gzip', GZIP],
      ['zstd', ZSTD],
    ] as const)('%s leaves as it came', async (encoding, bytes) => {
      const { body, form, admission } = await through(from, to, encoding, bytes)
      expect(body.equals(BODY)).toBe(true)
      expect(form?.equals(bytes)).toBe(true)
      expect(admission.reserved).toBe(0)
    })
  })
})

test.each([
  ['that was edited', {}, (call: ServerCall) => [Buffer.from(call.body)]],
  ['that another was joined to', {}, (call: ServerCall) => [call.body, Buffer.alloc(0)]],
  ['where a level is asked for', { compressionLevel: 1 }, undefined],
] as const)('a request %s is compressed anew', async (_what, more, forward) => {
  const { body, form } = await through('http', 'http', 'gzip', GZIP, { compression: 'gzip', ...more }, forward)
  expect(body.equals(BODY)).toBe(true)
  expect(form).toBeDefined()
  expect(form!.equals(GZIP)).toBe(false)
})

test('a request in another encoding is compressed anew', async () => {
  const { body, form } = await through('http', 'http', 'gzip', GZIP, { compression: 'zstd' })
  expect(body.equals(BODY)).toBe(true)
  expect(form).toBeUndefined()
})

test('what came is booked beside what it became, and forgotten with it', async () => {
  const admission = Admission.unbounded()
  const seen: number[] = []
  const bodies: Uint8Array[] = []
  const server = await serve(
    'http',
    {
      handle(call) {
        seen.push(admission.reserved)
        bodies.push(call.body)
        expect(compressedForm(call.body, 'gzip')).toBeDefined()
        call.reservation.release()
        call.ok()
      },
    },
    admission,
  )
  await post('http', server.address, 'gzip', GZIP)
  expect(seen).toEqual([1024 * Math.ceil((4096 + GZIP.length + BODY.length) / 1024)])
  expect(admission.reserved).toBe(0)
  expect(compressedForm(bodies[0]!, 'gzip')).toBeUndefined()
})

test('the room that a body of unknown length came in is booked for as long as its bytes are held', () => {
  const admission = Admission.unbounded()
  const reservation = admission.begin(true)
  if (!(reservation instanceof Reservation)) throw new Error(reservation.message)
  // 16 KiB of room for fewer bytes.
  const room = 16_384
  expect(reservation.widen(GZIP.length, 0, 4 << 20)).toBe(undefined)
  expect(reservation.body).toHaveLength(room)
  reservation.body.set(GZIP)
  expect(decompressBody(reservation, 'gzip', reservation.body.subarray(0, GZIP.length), 4 << 20)).toBe(undefined)
  expect(compressedForm(reservation.body, 'gzip')).toHaveLength(GZIP.length)
  expect(admission.reserved).toBe(1024 * Math.ceil((4096 + room + BODY.length) / 1024))
  reservation.release()
  expect(admission.reserved).toBe(0)
})
