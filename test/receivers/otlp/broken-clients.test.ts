import * as http2 from 'node:http2'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ack } from '../../../src/component/delivery.ts'
import { messagePrefix } from '../../../src/transport/grpc-message.ts'
import { GRPC_PATHS } from '../../../src/transport/otlp-services.ts'
import { GRPC } from '../../../src/transport/unary.ts'
import { someBatches } from '../../contract/support/data.ts'
import { writeProtobufjs } from '../../otlp/support/oracles.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'
import { callRaw, closed, connectTo, exchange, postRaw } from './support/raw-clients.ts'
import { arrived, cleanups, type Running, running } from './support/running.ts'

// Clients that break off, send too much or send nonsense: each is answered or dropped, and costs nobody else anything. After
// every test no memory is in hand (support/running.ts) and the process still serves.

const BODY = someBatches('traces', 1)[0]!.chunks[0]!
const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'
const CALL = { ':method': 'POST', ':path': GRPC_PATHS.traces, 'content-type': 'application/grpc', te: 'trailers' }

/** One good request over each protocol is served, and nothing is booked then. */
async function stillServes({ ctx, grpc, http, sink }: Running): Promise<void> {
  const before = sink.deliveries.length
  const answers = [callRaw(grpc, BODY), postRaw(http, BODY)] as const
  await arrived(sink, before + 2)
  for (const delivery of sink.deliveries.slice(before)) ack(delivery)
  expect((await answers[0]).status?.code).toBe(0)
  expect((await answers[1]).status).toBe(200)
  await expect.poll(() => ctx.admission.reserved).toBe(0)
}

describe('a client that goes away', () => {
  test.each([
    ['of a known length', 'Content-Length: 100000\r\n\r\n', BODY],
    ['of unknown length', 'Transfer-Encoding: chunked\r\n\r\n', Buffer.from('5\r\nabcde\r\n')],
    ['that is compressed', 'Content-Encoding: gzip\r\nContent-Length: 5000\r\n\r\n', gzipSync(BODY).subarray(0, 12)],
  ])('in the middle of a body %s, over HTTP, leaves nothing', async (_name, headers, part) => {
    const receiver = await running()
    for (let client = 0; client < 20; client++) {
      const socket = connectTo(receiver.http)
      socket.on('error', () => {})
      socket.write(`${HEAD}${headers}`)
      socket.write(part)
      setTimeout(() => (client % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()), 20)
      if (client === 19) await closed(socket)
    }
    await stillServes(receiver)
    expect(receiver.sink.deliveries).toHaveLength(2)
  })

  test('in the middle of a message, over gRPC, leaves nothing: one call, or its whole connection', async () => {
    const receiver = await running()
    const session = http2.connect(`http://${receiver.grpc}`)
    session.on('error', () => {})
    const begun = Array.from({ length: 50 }, () => {
      const stream = session.request(CALL)
      stream.on('error', () => {})
      stream.write(messagePrefix(500_000, false))
      stream.write(Buffer.alloc(10_000))
      return stream
    })
    await expect.poll(() => receiver.ctx.admission.reserved).toBeGreaterThan(50 * 500_000)
    for (const stream of begun.slice(0, 25)) stream.close(http2.constants.NGHTTP2_CANCEL)
    await expect.poll(() => receiver.ctx.admission.reserved).toBeLessThan(26 * 520_000)
    session.destroy()
    await stillServes(receiver)
    expect(receiver.sink.deliveries).toHaveLength(2)
  })

  test('before its answer changes nothing for the data', async () => {
    const receiver = await running()
    const { ctx, sink } = receiver
    const socket = connectTo(receiver.http)
    socket.on('error', () => {})
    socket.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n`)
    socket.write(BODY)
    const session = http2.connect(`http://${receiver.grpc}`)
    session.on('error', () => {})
    const stream = session.request(CALL)
    stream.on('error', () => {})
    stream.write(messagePrefix(BODY.length, false))
    stream.end(BODY)
    await arrived(sink, 2)
    socket.resetAndDestroy()
    session.destroy()
    await expect.poll(() => sink.deliveries.map(({ awaited }) => awaited)).toEqual([false, false])
    for (const { batch } of sink.deliveries) expect(Buffer.compare(batch.chunks[0]!, BODY)).toBe(0)
    sink.deliveries.forEach(ack)
    expect(ctx.meter.total('sluice_receiver_client_gone_requests')).toBe(2)
    await stillServes(receiver)
  })

  test('while it is answered, disturbs nobody', async () => {
    const receiver = await running()
    const { sink } = receiver
    for (let client = 0; client < 10; client++) {
      const socket = connectTo(receiver.http)
      socket.on('error', () => {})
      socket.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n`)
      socket.write(BODY)
      await arrived(sink, client + 1)
      ack(sink.last)
      socket.resetAndDestroy()
    }
    await stillServes(receiver)
  })
})

describe('thirty mebibytes', () => {
  const spans = 60
  const big = writeProtobufjs('traces', {
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: Array.from({ length: spans }, () => ({
              name: 'x'.repeat((30 << 20) / 60),
              traceId: new Uint8Array(16).fill(1),
              spanId: new Uint8Array(8).fill(1),
            })),
          },
        ],
      },
    ],
  })

  test('are refused above the limit, also to a client that sends all before it reads', async () => {
    const receiver = await running()
    const client = jsClient(receiver.grpc)
    cleanups.push(() => client.close())
    expect((await client.call(big)).error).toMatchObject({
      code: GRPC.RESOURCE_EXHAUSTED,
      details: `grpc: received message larger than max (${big.length} vs. ${4 << 20})`,
    })
    const announced = await exchange(
      receiver.http,
      `${HEAD}Connection: close\r\nContent-Length: ${big.length}\r\n\r\n`,
      big,
    )
    expect(announced.status).toBe(413)
    await stillServes(receiver)
    expect(receiver.sink.deliveries).toHaveLength(2)
  })

  test('are taken below it, whole', async () => {
    const receiver = await running({
      grpc: { max_recv_msg_size_mib: 64 },
      http: { max_request_body_size: 64 << 20 },
    })
    const { ctx, grpc, http, sink } = receiver
    const client = jsClient(grpc)
    cleanups.push(() => client.close())
    const answers = [client.call(big), postRaw(http, big)] as const
    await arrived(sink, 2)
    expect(ctx.admission.reserved).toBeGreaterThanOrEqual(2 * big.length)
    for (const delivery of sink.deliveries) {
      expect(delivery.batch.items).toBe(spans)
      expect(Buffer.compare(delivery.batch.chunks[0]!, big)).toBe(0)
      ack(delivery)
    }
    expect((await answers[0]).error).toBeUndefined()
    expect((await answers[1]).status).toBe(200)
    await stillServes(receiver)
  })
})

describe('nonsense', () => {
  /** Pseudo-random bytes, the same in every run. */
  function noise(seed: number, length: number): Buffer {
    let state = seed * 2_654_435_761 + 1
    return Buffer.from(
      Array.from({ length }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return state >>> 24
      }),
    )
  }

  test('as a body is refused, or taken where it happens to say nothing', async () => {
    const receiver = await running()
    const client = jsClient(receiver.grpc)
    cleanups.push(() => client.close())
    for (let seed = 0; seed < 60; seed++) {
      const body = noise(seed, seed * 40)
      const over = await client.call(body)
      expect([undefined, GRPC.INVALID_ARGUMENT]).toContain(over.error?.code)
      const headers = seed % 3 === 0 ? { 'Content-Encoding': ['gzip', 'zstd', 'snappy', 'lz4'][seed % 4]! } : {}
      const reply = await postRaw(receiver.http, body, { headers })
      expect([200, 400]).toContain(reply.status)
    }
    expect(receiver.sink.deliveries).toEqual([])
    await stillServes(receiver)
  })

  test('instead of HTTP ends that connection only', async () => {
    const receiver = await running()
    const hello = Buffer.from('160301020001000001fc0303', 'hex')
    for (const address of [receiver.http, receiver.grpc]) {
      for (const bytes of [noise(1, 500), hello, Buffer.from('\r\n\r\n\r\n'), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
        const socket = connectTo(address)
        socket.on('error', () => {})
        socket.resume()
        socket.write(bytes)
        setTimeout(() => socket.destroy(), 100)
        await closed(socket)
      }
    }
    await stillServes(receiver)
  })

  test('in headers is answered in the words of HTTP', async () => {
    const receiver = await running()
    const { http } = receiver
    expect((await exchange(http, `${HEAD}X: ${'y'.repeat(40_000)}\r\n\r\n`)).status).toBe(431)
    expect((await exchange(http, 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n')).status).toBe(400)
    expect((await exchange(http, `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`)).status).toBe(400)
    expect((await exchange(http, `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`)).status).toBe(400)
    await stillServes(receiver)
  })
})
