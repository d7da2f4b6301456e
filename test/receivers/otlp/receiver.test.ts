import * as http from 'node:http'
import * as net from 'node:net'
import * as zlib from 'node:zlib'
import { status as GrpcStatus } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import definition from '../../../receivers/otlp/otlp.ts'
import { ack, type Failure, fanOut, nack } from '../../../src/component/delivery.ts'
import { compress } from '../../../src/transport/compression.ts'
import { decodeExportResponse } from '../../../src/transport/export-response.ts'
import { decodeStatus } from '../../../src/transport/rpc-status.ts'
import { someBatches } from '../../contract/support/data.ts'
import { deadlineIn, testContext } from '../../support/context.ts'
import { freePort } from '../../support/ports.ts'
import { configured } from '../../transport/support/configured.ts'
import { jsClient, type Seen } from '../../transport/support/grpc-peers.ts'
import { callRaw } from './support/raw-clients.ts'
import { arrived, cleanups, running } from './support/running.ts'

const [traces] = someBatches('traces', 1)
const [metrics] = someBatches('metrics', 1)
const [logs] = someBatches('logs', 1)
const TRACES = traces!.chunks[0]!

interface HttpReply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

function post(
  address: string,
  body: Uint8Array,
  { path = '/v1/traces', method = 'POST', headers = {} as http.OutgoingHttpHeaders } = {},
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      `http://${address}${path}`,
      { method, headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length, ...headers } },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function exportOver(address: string, body: Uint8Array, path?: string): Promise<Seen> {
  const client = jsClient(address)
  cleanups.push(() => client.close())
  return client.call(body, path === undefined ? {} : { path })
}

describe('a request', () => {
  test('over gRPC becomes one delivery with its bytes, items and client, answered by its outcome', async () => {
    const { grpc, sink, ctx } = await running()
    await ctx.clock.advance(1234)
    const answer = exportOver(grpc, TRACES)
    await arrived(sink)
    const { batch } = sink.last
    expect(batch.signal).toBe('traces')
    expect(batch.items).toBe(traces!.items)
    expect(batch.chunks).toHaveLength(1)
    expect(Buffer.compare(batch.chunks[0]!, TRACES)).toBe(0)
    expect(batch.context).toEqual({
      transport: 'grpc',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      arrivedAt: ctx.clock.now(),
    })
    ack(sink.last)
    expect((await answer).error).toBeUndefined()
  })

  test.each([
    ['/v1/traces', traces!],
    ['/v1/metrics', metrics!],
    ['/v1/logs', logs!],
  ])('over HTTP to %s', async (path, { signal, items, chunks }) => {
    const { http: address, sink } = await running()
    const answer = post(address, chunks[0]!, { path })
    await arrived(sink)
    expect(sink.last.batch).toMatchObject({ signal, items, context: { transport: 'http' } })
    expect(Buffer.compare(sink.last.batch.chunks[0]!, chunks[0]!)).toBe(0)
    ack(sink.last)
    const { status, headers, body } = await answer
    expect([status, headers['content-type'], body.length]).toEqual([200, 'application/x-protobuf', 0])
  })

  test.each([
    ['gzip', zlib.gzipSync],
    ['zstd', zlib.zstdCompressSync],
    ['deflate', zlib.deflateSync],
    ['zlib', zlib.deflateSync],
    ['snappy', (bytes: Uint8Array) => compress('snappy', [bytes])],
    // What the Collector before v0.120 sends under that name.
    ['snappy', (bytes: Uint8Array) => compress('x-snappy-framed', [bytes])],
    ['x-snappy-framed', (bytes: Uint8Array) => compress('x-snappy-framed', [bytes])],
    ['lz4', (bytes: Uint8Array) => compress('lz4', [bytes])],
    ['identity', (bytes: Uint8Array) => bytes],
  ] as const)('over HTTP in %s', async (encoding, pack) => {
    const { http: address, sink } = await running()
    const answer = post(address, await pack(TRACES), { headers: { 'content-encoding': encoding } })
    await arrived(sink)
    expect(Buffer.compare(sink.last.batch.chunks[0]!, TRACES)).toBe(0)
    ack(sink.last)
    expect((await answer).status).toBe(200)
  })

  test.each([
    ['gzip', 'gzip'],
    ['zstd', 'zstd'],
    ['deflate', 'deflate'],
    ['snappy', 'x-snappy-framed'],
  ] as const)('over gRPC in %s', async (name, encoding) => {
    const { grpc, sink } = await running()
    const packed = await compress(encoding, [TRACES])
    const answer = callRaw(grpc, packed, { headers: { 'grpc-encoding': name }, compressed: true })
    await arrived(sink)
    expect(Buffer.compare(sink.last.batch.chunks[0]!, TRACES)).toBe(0)
    ack(sink.last)
    expect((await answer).status?.code).toBe(0)
  })

  test('over gRPC in what nobody knows is refused with what there is', async () => {
    const { grpc } = await running()
    const raw = await callRaw(grpc, new Uint8Array(5), { headers: { 'grpc-encoding': 'br' } })
    expect([raw.status?.code, raw.headers['grpc-accept-encoding']]).toEqual([12, 'identity,gzip,zstd,snappy,deflate'])
  })

  test('over HTTP in a coding that is not in the list, none among them, is refused', async () => {
    const { http: address } = await running({ grpc: false, http: { compression_algorithms: ['gzip', 'lz4'] } })
    const said = async (headers: http.OutgoingHttpHeaders): Promise<unknown[]> => {
      const { status, body } = await post(address, TRACES, { headers })
      return [status, decodeStatus(body)?.message]
    }
    expect(await said({})).toEqual([400, 'unsupported Content-Encoding: identity; supported: [gzip, lz4]'])
    expect(await said({ 'content-encoding': 'zstd' })).toEqual([
      400,
      'unsupported Content-Encoding: zstd; supported: [gzip, lz4]',
    ])
  })

  test('over HTTP in chunks of unknown number', async () => {
    const { http: address, sink } = await running()
    const answer = new Promise<number>((resolve) => {
      const request = http.request(
        `http://${address}/v1/traces?x=1`,
        { method: 'POST', headers: { 'content-type': 'application/x-protobuf; charset=utf-8' } },
        (response) => resolve(response.resume().statusCode!),
      )
      request.write(TRACES.subarray(0, 5))
      setTimeout(() => request.end(TRACES.subarray(5)), 20)
    })
    await arrived(sink)
    expect(Buffer.compare(sink.last.batch.chunks[0]!, TRACES)).toBe(0)
    ack(sink.last)
    expect(await answer).toBe(200)
  })

  test('without items is answered at once and goes nowhere', async () => {
    const { grpc, http: address, sink } = await running()
    expect((await exportOver(grpc, new Uint8Array(0))).error).toBeUndefined()
    expect((await post(address, new Uint8Array(0))).status).toBe(200)
    expect(sink.deliveries).toEqual([])
  })

  test('that is malformed is refused with the byte where it breaks, and counted', async () => {
    const { grpc, http: address, sink, ctx } = await running()
    const broken = Uint8Array.of(0x0a, 0x05, 0x00)
    const { error } = await exportOver(grpc, broken)
    expect(error!.code).toBe(GrpcStatus.INVALID_ARGUMENT)
    expect(error!.details).toMatch(/^malformed OTLP at byte \d+: /)
    const reply = await post(address, broken)
    expect(reply.status).toBe(400)
    expect(decodeStatus(reply.body)).toEqual({ code: GrpcStatus.INVALID_ARGUMENT, message: error!.details })
    expect(sink.deliveries).toEqual([])
    const labels = { receiver: 'otlp', data_type: 'traces' }
    expect(ctx.meter.value('sluice_receiver_malformed_requests', { ...labels, transport: 'grpc' })).toBe(1)
    expect(ctx.meter.value('sluice_receiver_malformed_requests', { ...labels, transport: 'http' })).toBe(1)
  })

  test('keeps its headers where the receiver was told to', async () => {
    const {
      grpc,
      http: address,
      sink,
    } = await running({ grpc: { include_metadata: true }, http: { include_metadata: true } })
    const client = jsClient(grpc)
    cleanups.push(() => client.close())
    void client.call(TRACES, { metadata: { 'x-tenant': 'a' } })
    await arrived(sink)
    expect(sink.last.batch.context.metadata!['x-tenant']).toEqual(['a'])
    void post(address, TRACES, { headers: { 'X-Tenant': ['b', 'c'] } })
    await arrived(sink, 2)
    expect(sink.last.batch.context.metadata!['x-tenant']).toEqual(['b', 'c'])
    // A delivery's context crosses threads and disks: nothing in it may be lost on either way.
    for (const { batch } of sink.deliveries) {
      expect(structuredClone(batch.context)).toEqual(batch.context)
      expect(JSON.parse(JSON.stringify(batch.context))).toEqual(batch.context)
    }
    for (const delivery of sink.deliveries) ack(delivery)
  })
})

describe('the answer', () => {
  const failure = (fields: Partial<Failure>): Failure => ({
    verdict: 'retry',
    reason: 'queue_full',
    message: 'exporter otlp: full',
    ...fields,
  })

  test('comes at admission, and the outcome is not heard of any more', async () => {
    const { grpc, sink } = await running()
    const answer = exportOver(grpc, TRACES)
    await arrived(sink)
    expect(sink.last.awaited).toBe(true)
    sink.last.admit()
    expect((await answer).error).toBeUndefined()
    expect(sink.last.awaited).toBe(false)
    nack(sink.last, failure({}))
  })

  test('waits for the outcome under `acknowledge: delivered`', async () => {
    const { grpc, sink } = await running({ acknowledge: 'delivered' })
    const answer = exportOver(grpc, TRACES)
    await arrived(sink)
    sink.last.admit()
    nack(sink.last, failure({ message: 'after all' }))
    expect((await answer).error!.details).toBe('after all')
  })

  test('comes at refusal, before the parts still under way are settled', async () => {
    const { grpc, sink } = await running()
    const answer = exportOver(grpc, TRACES)
    await arrived(sink)
    sink.last.refuse(failure({}))
    expect((await answer).error!.code).toBe(GrpcStatus.UNAVAILABLE)
    ack(sink.last)
  })

  test('hands a partial success back', async () => {
    const { grpc, http: address, sink } = await running()
    const answers = [exportOver(grpc, TRACES), post(address, TRACES)] as const
    await arrived(sink, 2)
    for (const delivery of sink.deliveries) delivery.settle({ ok: true, rejected: 1, message: 'too old' })
    const expected = { rejected: 1, message: 'too old' }
    expect(decodeExportResponse((await answers[0]).response!)).toEqual(expected)
    expect(decodeExportResponse((await answers[1]).body)).toEqual(expected)
  })

  test('is told to every branch that nobody waits for it any more, unless a queue has it', async () => {
    const { grpc, http: address, sink } = await running()
    const client = jsClient(grpc)
    cleanups.push(() => client.close())
    const call = client.call(TRACES, { timeoutMs: 200 })
    await arrived(sink)
    const request = http.request(`http://${address}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
    })
    request.on('error', () => {})
    request.end(TRACES)
    await arrived(sink, 2)
    expect(sink.deliveries.map(({ deadline }) => Number.isFinite(deadline))).toEqual([true, false])
    const told: string[] = []
    for (const [i, delivery] of sink.deliveries.entries()) {
      for (const branch of fanOut(delivery, 2)) branch.onAbandoned(() => void told.push(`${i}`))
    }
    const kept = exportOver(grpc, TRACES)
    await arrived(sink, 3)
    sink.last.onAbandoned(() => void told.push('kept'))
    sink.last.admit()
    await kept
    request.destroy()
    await call
    await expect.poll(() => told.toSorted()).toEqual(['0', '0', '1', '1'])
    for (const delivery of sink.deliveries) ack(delivery)
  })

  test('that nobody waits for any more is counted; the delivery goes on', async () => {
    const { grpc, http: address, sink, ctx } = await running()
    const client = jsClient(grpc)
    cleanups.push(() => client.close())
    const call = client.call(TRACES, { timeoutMs: 60 })
    const request = http.request(`http://${address}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
    })
    request.on('error', () => {})
    request.end(TRACES)
    await arrived(sink, 2)
    setTimeout(() => request.destroy(), 20)
    expect((await call).error!.code).toBe(GrpcStatus.DEADLINE_EXCEEDED)
    await expect.poll(() => sink.deliveries.every((delivery) => !delivery.awaited)).toBe(true)
    expect(sink.deliveries.map(({ abandoned }) => abandoned)).toEqual([true, true])
    for (const delivery of sink.deliveries) ack(delivery)
    expect(ctx.meter.total('sluice_receiver_client_gone_requests')).toBe(2)
  })
})

describe('OTLP/HTTP refuses', () => {
  test('another method, path, type or coding, as the Collector does', async () => {
    const { http: address } = await running({ signals: ['traces'] })
    const text = async (options: Parameters<typeof post>[2]): Promise<[number, string]> => {
      const { status, body } = await post(address, TRACES, options)
      return [status, body.toString()]
    }
    expect(await text({ method: 'PUT' })).toEqual([405, '405 method not allowed, supported: [POST]'])
    expect(await text({ path: '/v1/spans' })).toEqual([404, '404 page not found\n'])
    expect((await text({ path: '/v1/logs' }))[0]).toBe(404)
    expect(await text({ headers: { 'content-type': 'text/plain' } })).toEqual([
      415,
      '415 unsupported media type, supported: [application/json, application/x-protobuf]; got text/plain',
    ])
    expect((await text({ headers: { 'content-encoding': 'br' } }))[1]).toContain(
      'unsupported Content-Encoding: br; supported: [identity, gzip, zstd, zlib, snappy, deflate, lz4, x-snappy-framed]',
    )
  })

  test('a body over the limit: announced, unannounced, or once it is unpacked', async () => {
    const { http: address, sink } = await running({ grpc: false, http: { max_request_body_size: 1000 } })
    const tooLarge = { code: 3, message: expect.stringMatching(/^http: request body too large/) }
    const announced = await post(address, new Uint8Array(5 << 20))
    expect(announced.status).toBe(413)
    expect(decodeStatus(announced.body)).toEqual(tooLarge)
    const packed = await post(address, zlib.gzipSync(new Uint8Array(100_000)), {
      headers: { 'content-encoding': 'gzip' },
    })
    expect(decodeStatus(packed.body)).toEqual(tooLarge)
    const unannounced = await new Promise<number>((resolve, reject) => {
      const request = http.request(
        `http://${address}/v1/traces`,
        { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } },
        (response) => resolve(response.resume().statusCode!),
      )
      request.on('error', reject)
      request.write(new Uint8Array(2000))
    })
    expect(unannounced).toBe(413)
    expect(sink.deliveries).toEqual([])
  })

  test('a body that is not compressed as it says', async () => {
    const { http: address } = await running()
    const { status, body } = await post(address, TRACES, { headers: { 'content-encoding': 'gzip' } })
    expect(status).toBe(400)
    expect(decodeStatus(body)!.message).toMatch(/^cannot read the gzip body: /)
  })
})

describe('listening', () => {
  test('says who wanted a busy port and what to do, and gives back what it had bound', async () => {
    const busy = net.createServer()
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => busy.close())
    const { port } = busy.address() as net.AddressInfo
    const free = `127.0.0.1:${await freePort()}`
    const start = running({ grpc: { endpoint: free }, http: { endpoint: `127.0.0.1:${port}` } })
    await expect(start).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
      message: `protocols.http.endpoint: cannot listen on 127.0.0.1:${port}, another program has it; stop that program, or set another endpoint`,
    })
    const again = await running({ grpc: { endpoint: free }, http: false })
    expect(again.grpc).toBe(free)
  })

  test('on localhost reaches both loopback addresses, where the machine has both', async () => {
    const { http: address, sink } = await running({ grpc: false, http: { endpoint: 'localhost:0' } })
    const port = address.split(':').at(-1)
    const answers = [post(`127.0.0.1:${port}`, TRACES)]
    const v6 = await new Promise<boolean>((resolve) => {
      const probe = net.createServer().once('error', () => resolve(false))
      probe.listen(0, '::1', () => probe.close(() => resolve(true)))
    })
    if (v6) answers.push(post(`[::1]:${port}`, TRACES))
    await arrived(sink, answers.length)
    for (const delivery of sink.deliveries) ack(delivery)
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200))
  })

  test('stops with requests under way answered, twice, and unstarted', async () => {
    const { component, grpc, http: address, sink, ctx } = await running()
    const answers = [exportOver(grpc, TRACES), post(address, TRACES)] as const
    await arrived(sink, 2)
    const stops = [component.stop!(deadlineIn(ctx.clock, 5000)), component.stop!(deadlineIn(ctx.clock, 5000))]
    setTimeout(() => sink.deliveries.forEach(ack), 30)
    expect((await answers[0]).error).toBeUndefined()
    expect((await answers[1]).headers.connection).toBe('close')
    for (const stop of stops) await stop
    await expect(post(address, TRACES)).rejects.toThrow('ECONNREFUSED')
    const unstarted = await definition.create(configured(definition, { protocols: { http: {} } }), testContext(), {})
    await unstarted.stop!(deadlineIn(ctx.clock, 0))
  })
})
