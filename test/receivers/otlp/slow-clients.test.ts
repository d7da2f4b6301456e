import * as http2 from 'node:http2'
import type * as net from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import { messagePrefix } from '../../../src/transport/grpc-message.ts'
import { GRPC_PATHS } from '../../../src/transport/otlp-services.ts'
import { decodeStatus, readTrailers } from '../../../src/transport/rpc-status.ts'
import { GRPC } from '../../../src/transport/unary.ts'
import { someBatches } from '../../contract/support/data.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'
import { callRaw, closed, connectTo, exchange, postRaw } from './support/raw-clients.ts'
import { arrived, cleanups, type Running, running } from './support/running.ts'

// Clients that stand still at each place where one can. That a bound is kept is shown, not how exactly: no test measures
// time. Every receiver here is stopped at the end of its test, and has no memory in hand then.

const BODY = someBatches('traces', 1)[0]!.chunks[0]!
const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'

/** What a client gets that sends `text` and then nothing, until the server ends the connection. */
const standsStill = exchange

/** Another client is served while one stands still. */
async function neighbourIsServed({ http, sink }: Running): Promise<void> {
  const before = sink.deliveries.length
  const answer = postRaw(http, BODY)
  await arrived(sink, before + 1)
  ack(sink.last)
  expect((await answer).status).toBe(200)
}

describe('over HTTP', () => {
  test.each([
    ['nothing at all', ''],
    ['half a request line', 'POST /v1/tr'],
    ['half of its headers', HEAD],
  ])('a client that sends %s is cut off, and told nothing that would make it drop its data', async (_name, text) => {
    const receiver = await running({ grpc: false, http: { read_header_timeout: '100ms' } })
    const slow = standsStill(receiver.http, text)
    await neighbourIsServed(receiver)
    expect((await slow).text).toBe('')
  })

  test('a client that dribbles headers is cut off as well', async () => {
    const { http } = await running({ grpc: false, http: { read_header_timeout: '100ms' } })
    const socket = connectTo(http)
    socket.on('error', () => {})
    socket.resume()
    socket.write(HEAD)
    const dribble = setInterval(() => socket.write('X-A: 1\r\n'), 20)
    cleanups.push(() => clearInterval(dribble))
    await closed(socket)
  })

  test.each([
    ['read_timeout', { read_timeout: '100ms' }],
    ['a read_timeout below read_header_timeout', { read_timeout: '100ms', read_header_timeout: '1m' }],
    ['write_timeout', { write_timeout: '100ms' }],
  ])('a body that stands still is refused after %s, retryable', async (_name, more) => {
    const receiver = await running({ grpc: false, http: more })
    const slow = standsStill(receiver.http, `${HEAD}Content-Length: 100000\r\n\r\n`, BODY)
    await neighbourIsServed(receiver)
    const reply = await slow
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1'])
    expect(decodeStatus(reply.body)).toEqual({
      code: GRPC.UNAVAILABLE,
      message: 'the request did not arrive within 0.1 s',
      retryAfterMs: 1000,
    })
    expect(receiver.ctx.admission.reserved).toBe(0)
  })

  test('a body that dribbles is refused too, whether its length is known or not', async () => {
    const { http, ctx } = await running({ grpc: false, http: { read_timeout: '150ms' } })
    const dribble = async (headers: string, chunk: string): Promise<string> => {
      const socket = connectTo(http)
      let seen = ''
      socket.on('data', (part) => {
        seen += part.toString()
      })
      socket.on('error', () => {})
      socket.write(`${HEAD}${headers}\r\n\r\n`)
      const timer = setInterval(() => socket.write(chunk), 20)
      await closed(socket)
      clearInterval(timer)
      return seen
    }
    const answers = await Promise.all([
      dribble('Content-Length: 100000', 'x'),
      dribble('Transfer-Encoding: chunked', '1\r\nx\r\n'),
    ])
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    expect(ctx.admission.reserved).toBe(0)
  })

  test('an answer that does not come within write_timeout ends the connection; the data goes on', async () => {
    const { http, ctx, sink } = await running({ grpc: false, http: { write_timeout: '100ms' } })
    const waits = postRaw(http, BODY)
    await arrived(sink)
    expect((await waits).text).toBe('')
    await expect.poll(() => sink.last.awaited).toBe(false)
    ack(sink.last)
    expect(ctx.meter.total('sluice_receiver_client_gone_requests')).toBe(1)
  })

  test('a connection stays for the next request, and is ended after idle_timeout', async () => {
    const { http } = await running({ grpc: false, http: { idle_timeout: '50ms' } })
    const socket = connectTo(http)
    const answers: string[] = []
    socket.on('data', (part) => answers.push(part.toString()))
    for (let round = 1; round <= 2; round++) {
      socket.write(`${HEAD}Content-Length: 0\r\n\r\n`)
      await expect.poll(() => answers.length).toBe(round)
    }
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 200 '))).toBe(true)
    await closed(socket)
  })

  test('with keep_alives_enabled off a connection serves one request', async () => {
    const { http } = await running({ grpc: false, http: { keep_alives_enabled: false } })
    const { headers, text } = await exchange(
      http,
      `${HEAD}Content-Length: 0\r\n\r\n`,
      `${HEAD}Content-Length: 0\r\n\r\n`,
    )
    expect(headers['connection']).toBe('close')
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1)
  })

  describe('a client that asks before it sends its body', () => {
    const asks = async (receiver: Running, length: number, more = ''): Promise<string> => {
      const socket: net.Socket = connectTo(receiver.http)
      let seen = ''
      socket.on('data', (part) => {
        seen += part.toString()
        if (seen.startsWith('HTTP/1.1 100 Continue\r\n\r\n') && length === BODY.length) socket.write(BODY)
      })
      socket.on('error', () => {})
      const head = `${HEAD}${more}Expect: 100-continue\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`
      socket.write(head)
      await closed(socket)
      return seen
    }

    test('is told to go on where its headers are good', async () => {
      const receiver = await running({ grpc: false })
      const answer = asks(receiver, BODY.length)
      await arrived(receiver.sink)
      ack(receiver.sink.last)
      expect(await answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
    })

    test('is refused without having sent it where they are not', async () => {
      const receiver = await running({ grpc: false, http: { max_request_body_size: 1000 } })
      expect(await asks(receiver, 5000)).toMatch(/^HTTP\/1\.1 413 /)
      expect(await asks(receiver, 500, 'Content-Encoding: br\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    })
  })
})

describe('over gRPC', () => {
  /** Opens a call and sends `bytes` of it; resolves with its status once the server has ended it. */
  async function begins(session: http2.ClientHttp2Session, bytes: Uint8Array) {
    const stream = session.request({
      ':method': 'POST',
      ':path': GRPC_PATHS.traces,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let status: ReturnType<typeof readTrailers>
    stream.on('response', (headers) => {
      status = readTrailers(headers)
    })
    stream.on('error', () => {})
    stream.resume()
    if (bytes.length > 0) stream.write(bytes)
    await closed(stream)
    return status
  }

  test.each([
    ['only headers', Buffer.alloc(0)],
    ['half a prefix', messagePrefix(1000, false).subarray(0, 3)],
    ['half a message', Buffer.concat([messagePrefix(100_000, false), BODY])],
  ])('a call of which %s come is ended, retryable, and its connection goes on', async (_name, bytes) => {
    const { grpc, ctx, sink } = await running({ http: false, grpc: { read_timeout: '100ms' } })
    const session = http2.connect(`http://${grpc}`)
    cleanups.push(() => session.destroy())
    expect(await begins(session, bytes)).toEqual({
      code: GRPC.UNAVAILABLE,
      message: 'the message did not arrive within 0.1 s',
      retryAfterMs: 1000,
    })
    expect(ctx.admission.reserved).toBe(0)
    expect(session.destroyed).toBe(false)
    const begin = vi.spyOn(ctx.admission, 'begin')
    const whole = await begins(session, Buffer.concat([messagePrefix(BODY.length, false), BODY]))
    expect([whole?.code, begin.mock.calls.length]).toEqual([GRPC.UNAVAILABLE, 1])
    expect(sink.deliveries).toHaveLength(0)
  })

  test('a message that is whole may wait for its answer as long as it takes', async () => {
    const { grpc, sink } = await running({ http: false, grpc: { read_timeout: '50ms' } })
    const client = jsClient(grpc)
    cleanups.push(() => client.close())
    const answer = client.call(BODY)
    await arrived(sink)
    await new Promise((resolve) => setTimeout(resolve, 200))
    ack(sink.last)
    expect((await answer).error).toBeUndefined()
  })

  test('a client with patience for ten thousand years is not taken for one that has gone', async () => {
    const { grpc, sink } = await running({ http: false })
    const call = callRaw(grpc, BODY, { headers: { 'grpc-timeout': '99999999H' } })
    await arrived(sink)
    let gone = false
    sink.last.onAbandoned(() => {
      gone = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([gone, sink.last.abandoned]).toEqual([false, false])
    ack(sink.last)
    expect((await call).status?.code).toBe(0)
  })
})

describe('an authenticator that never answers', () => {
  const mute = { stop() {}, authenticate: () => new Promise<undefined>(() => {}) }

  test('holds a call for as long as its body may take', async () => {
    const more = { auth: { authenticator: 'mute' }, read_timeout: '100ms' }
    const { ctx, grpc, http, sink } = await running({ grpc: more, http: more, extensions: { mute } })
    const [call, reply] = await Promise.all([callRaw(grpc, BODY), postRaw(http, BODY)])
    expect(call.status?.code).toBe(GRPC.UNAVAILABLE)
    expect(reply.status).toBe(503)
    expect(sink.deliveries).toEqual([])
    expect(ctx.admission.reserved).toBe(0)
  })
})
