// What the exporter does with every answer that a peer can give, row by row: tried again, and when; given up; how it is booked. The
// peer does what the row says to the first call and takes the second. Time is the test's own.
import * as http from 'node:http'
import type * as http2 from 'node:http2'
import * as net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import definition from '../../../exporters/otlp_grpc/otlp_grpc.ts'
import { arenas } from '../../../src/otlp/arena.ts'
import { encodeExportResponse } from '../../../src/transport/export-response.ts'
import { messagePrefix } from '../../../src/transport/grpc-message.ts'
import { statusTrailers } from '../../../src/transport/rpc-status.ts'
import { GRPC } from '../../../src/transport/unary.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { type Tracked, track } from '../../support/deliveries.ts'
import { configured } from '../../transport/support/configured.ts'
import { answerOk, type Http2Peer, http2Peer } from '../../transport/support/http2-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const RETRY = { initial_interval: '5s', randomization_factor: 0 }

interface Run {
  readonly tracked: Tracked
  readonly ctx: TestContext
}

/** Sends one batch. */
async function sendTo(port: number, more: object = {}): Promise<Run> {
  const ctx = testContext({ kind: 'exporter', id: 'otlp_grpc', signals: ['traces'] })
  const config = {
    endpoint: `127.0.0.1:${port}`,
    tls: { insecure: true },
    sending_queue: { enabled: false },
    retry_on_failure: RETRY,
    ...more,
  }
  const exporter = await definition.create(configured(definition, config), ctx)
  await exporter.start!()
  cleanups.push(() => exporter.stop!(deadlineIn(ctx.clock, 0)))
  const tracked = track(someBatches('traces', 1)[0]!)
  exporter.consume(tracked.delivery)
  return { tracked, ctx }
}

type Script = (stream: http2.ServerHttp2Stream) => void

/** Does what `first` says to the first call and takes the others. */
async function scripted(first: Script): Promise<Http2Peer> {
  const peer: Http2Peer = await http2Peer((stream) => (peer.calls === 1 ? first(stream) : answerOk(stream)))
  cleanups.push(() => peer.close())
  return peer
}

const ended = ({ tracked }: Run) => expect.poll(() => tracked.outcome, { timeout: 10_000 }).toBeDefined()

/** It waits for its second attempt: a timer that the retry has set. */
const waits = ({ ctx, tracked }: Run) =>
  expect
    .poll(() => (tracked.outcome === undefined ? ctx.clock.next : 'settled'), { timeout: 10_000 })
    .toSatisfy((next) => typeof next === 'number' && next > 1000)

async function retriedAfter(run: Run, peer: Http2Peer, ms: number): Promise<void> {
  await waits(run)
  await run.ctx.clock.advance(ms - 1)
  expect(run.tracked.outcome).toBeUndefined()
  expect(peer.calls).toBe(1)
  await run.ctx.clock.advance(1)
  await ended(run)
  expect(run.tracked.events).toEqual(['ok'])
  expect(peer.calls).toBe(2)
}

const trailersOnly =
  (trailers: http2.OutgoingHttpHeaders): Script =>
  (stream) =>
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true })

const { OK: _ok, ...CODES } = GRPC
const RETRYABLE = ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS']

describe('a status', () => {
  test.each(RETRYABLE)('%s is tried again after the back-off', async (name) => {
    const code = CODES[name as keyof typeof CODES]
    const peer = await scripted(trailersOnly(statusTrailers({ code, message: 'x' })))
    await retriedAfter(await sendTo(peer.port), peer, 5000)
  })

  test.each(Object.keys(CODES).filter((name) => !RETRYABLE.includes(name)))('%s is final', async (name) => {
    const code = CODES[name as keyof typeof CODES]
    const peer = await scripted(trailersOnly(statusTrailers({ code, message: 'no' })))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['reject:rejected'])
    expect(run.tracked.outcome).toMatchObject({ failure: { grpcStatus: code } })
    expect(peer.calls).toBe(1)
  })

  test.each<[string, number, number, number]>([
    ['RESOURCE_EXHAUSTED with a RetryInfo waits as it says', GRPC.RESOURCE_EXHAUSTED, 12_500, 12_500],
    ['RESOURCE_EXHAUSTED with an empty RetryInfo waits the back-off', GRPC.RESOURCE_EXHAUSTED, 0, 5000],
    ['UNAVAILABLE with a longer RetryInfo waits as it says', GRPC.UNAVAILABLE, 30_000, 30_000],
    ['UNAVAILABLE with a shorter RetryInfo waits the back-off', GRPC.UNAVAILABLE, 100, 5000],
  ])('%s', async (_name, code, retryAfterMs, wait) => {
    const peer = await scripted(trailersOnly(statusTrailers({ code, message: 'x', retryAfterMs })))
    await retriedAfter(await sendTo(peer.port), peer, wait)
  })

  test('INVALID_ARGUMENT with a RetryInfo is final all the same', async () => {
    const peer = await scripted(trailersOnly(statusTrailers({ code: 3, message: 'x', retryAfterMs: 1000 })))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['reject:rejected'])
  })

  test('RESOURCE_EXHAUSTED for size is answered with smaller requests, at once', async () => {
    const message = 'grpc: received message larger than max (5000000 vs. 4194304)'
    const peer = await scripted(trailersOnly(statusTrailers({ code: GRPC.RESOURCE_EXHAUSTED, message })))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['ok'])
    // The refused one, and its two halves.
    expect(peer.calls).toBe(3)
  })

  test('that is no number is UNKNOWN, and final', async () => {
    const peer = await scripted(trailersOnly({ 'grpc-status': 'fine', 'grpc-message': 'x' }))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.outcome).toMatchObject({ failure: { verdict: 'reject', grpcStatus: GRPC.UNKNOWN } })
  })

  test('that asks for more time than there is gives up at once', async () => {
    const peer = await scripted(trailersOnly(statusTrailers({ code: 14, message: 'x', retryAfterMs: 61_000 })))
    const run = await sendTo(peer.port, { retry_on_failure: { ...RETRY, max_elapsed_time: '60s' } })
    await ended(run)
    expect(run.tracked.events).toEqual(['retry:retries_exhausted'])
    expect(peer.calls).toBe(1)
  })
})

describe('an HTTP status without a gRPC one', () => {
  test.each([429, 502, 503, 504])('%i is tried again', async (status) => {
    const peer = await scripted((stream) => stream.respond({ ':status': status }, { endStream: true }))
    await retriedAfter(await sendTo(peer.port), peer, 5000)
  })

  test.each([400, 401, 403, 404, 418, 500])('%i is final', async (status) => {
    const peer = await scripted((stream) => stream.respond({ ':status': status }, { endStream: true }))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['reject:rejected'])
    expect(run.tracked.outcome).toMatchObject({
      failure: { message: expect.stringContaining(`HTTP status ${status} and no gRPC status`) },
    })
  })
})

/** Sends a body as one message, or as it is, and OK behind it. */
const answered =
  (body: Uint8Array, prefix = messagePrefix(body.length, false)): Script =>
  (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.concat([prefix, body]))
  }

describe('an answer', () => {
  test('with a partial success is booked as such, and its batch not sent again', async () => {
    const peer = await scripted(answered(encodeExportResponse({ rejected: 1, message: 'too old' })))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['ok:1'])
    expect(peer.calls).toBe(1)
    expect(run.ctx.lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'warn the peer refused 1 item of 1 batch for good: too old  (EXPORT_PARTIAL_SUCCESS)',
    ])
  })

  test.each<[string, Script, string]>([
    ['garbage for a message', answered(Buffer.from([0xff, 0xff])), 'its response is no Export response'],
    [
      'fewer bytes than it said',
      answered(Buffer.from([1]), messagePrefix(5, false)),
      'message ends after 1 of 5 bytes',
    ],
    ['more than one message', answered(Buffer.from([0, 0, 0, 0, 0, 0]), new Uint8Array(0)), 'more than one message'],
    [
      'a message of 4 GB',
      answered(new Uint8Array(0), Buffer.from([0, 255, 255, 255, 255])),
      "the server's answer is malformed",
    ],
    ['an impossible flag', answered(new Uint8Array(0), Buffer.from([9, 0, 0, 0, 0])), 'message flag is 9'],
  ])('with %s is not asked for again: the request was taken', async (_name, script, message) => {
    const before = arenas.held
    const peer = await scripted(script)
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.outcome).toMatchObject({
      ok: false,
      failure: { verdict: 'reject', message: expect.stringContaining(message) },
    })
    expect(run.tracked.outcome).not.toHaveProperty('failure.tooLarge')
    expect(peer.calls).toBe(1)
    expect(arenas.held).toBe(before)
  })

  test('without trailers says what may be the cause', async () => {
    const peer = await scripted((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end(messagePrefix(0, false))
    })
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.outcome).toMatchObject({
      failure: { verdict: 'reject', message: expect.stringContaining('does a proxy on the way drop HTTP/2 trailers?') },
    })
  })

  test('that is a page says that this is no gRPC', async () => {
    const peer = await scripted((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' })
      stream.end('<html>')
    })
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.outcome).toMatchObject({
      failure: {
        verdict: 'reject',
        message: expect.stringContaining('"text/html", which is not gRPC; is this its gRPC port?'),
      },
    })
  })

  test.each<[string, number, number]>([
    ['INTERNAL_ERROR', 2, GRPC.INTERNAL],
    ['INADEQUATE_SECURITY', 12, GRPC.PERMISSION_DENIED],
    ['ENHANCE_YOUR_CALM', 11, GRPC.RESOURCE_EXHAUSTED],
  ])('that is a reset with %s is final', async (_name, rst, code) => {
    const peer = await scripted((stream) => stream.close(rst))
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.outcome).toMatchObject({ failure: { verdict: 'reject', grpcStatus: code } })
  })

  test('that is a reset with CANCEL is tried again', async () => {
    const peer = await scripted((stream) => stream.close(8))
    await retriedAfter(await sendTo(peer.port), peer, 5000)
  })
})

describe('no answer', () => {
  test('in time is tried again', async () => {
    const peer = await scripted(() => {})
    await retriedAfter(await sendTo(peer.port, { timeout: '50ms' }), peer, 5000)
  })

  test('because the connection broke is tried again on another', async () => {
    const peer = await scripted((stream) => stream.session!.socket.destroy())
    await retriedAfter(await sendTo(peer.port), peer, 5000)
    expect(peer.sessions).toHaveLength(2)
  })

  test('because the peer left (GOAWAY) while it worked comes on the old connection', async () => {
    const peer = await scripted((stream) => {
      stream.session!.goaway(0, stream.id!)
      setTimeout(() => answerOk(stream), 20)
    })
    const run = await sendTo(peer.port)
    await ended(run)
    expect(run.tracked.events).toEqual(['ok'])
    expect(peer.calls).toBe(1)
  })

  test('because nobody listens is tried again', async () => {
    const gone = await http2Peer()
    await gone.close()
    const run = await sendTo(gone.port)
    await waits(run)
    const back = await http2Peer(undefined, { port: gone.port })
    cleanups.push(() => back.close())
    await run.ctx.clock.advance(5000)
    await ended(run)
    expect(run.tracked.events).toEqual(['ok'])
  })
})

describe('a peer that is something else', () => {
  /** What the exporter says of a TCP server that treats its connections so. */
  async function said(onConnection: (socket: net.Socket) => void, more: object = {}): Promise<string> {
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      onConnection(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const sockets = new Set<net.Socket>()
    server.on('connection', (socket: net.Socket) => sockets.add(socket))
    cleanups.push(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    const run = await sendTo((server.address() as net.AddressInfo).port, {
      retry_on_failure: { enabled: false },
      ...more,
    })
    await ended(run)
    const { outcome } = run.tracked
    if (outcome === undefined || outcome.ok) throw new Error('it was taken')
    expect(outcome.failure.verdict).toBe('retry')
    return outcome.failure.message
  }

  test('an HTTP/1.1 server', async () => {
    const message = await said((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
    expect(message).toMatch(/breaks HTTP\/2 \(.*\); is this its gRPC port\? 4318 is usually the HTTP one$/)
  })

  test('node:http, which closes', async () => {
    const server = http.createServer()
    expect(await said((socket) => server.emit('connection', socket))).toMatch(/is this its gRPC port/)
  })

  test('one that closes at once', async () => {
    expect(await said((socket) => socket.end())).toMatch(/is this its gRPC port, and does it expect TLS\?$/)
  })

  test('one that speaks no TLS', async () => {
    const message = await said((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), { tls: {} })
    expect(message).toMatch(/does not speak TLS; for clear text set tls\.insecure: true/)
  })

  test('one that takes connections and is silent, until the time is up', async () => {
    expect(await said(() => {}, { timeout: '80ms' })).toMatch(/no connection within 0\.1 s$/)
  })
})
