import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { ack, nack } from '../../../src/component/delivery.ts'
import { SIGNALS } from '../../../src/otlp/batch.ts'
import { toJson } from '../../../src/otlp/json.ts'
import { HTTP_PATHS } from '../../../src/transport/otlp-services.ts'
import { someBatches } from '../../contract/support/data.ts'
import { readProtobufEs } from '../../otlp/support/oracles.ts'
import { postRaw } from './support/raw-clients.ts'
import { arrived, running } from './support/running.ts'

// OTLP/JSON through the receiver. What the documents may look like is in test/otlp/json-input.test.ts.

const BATCH = someBatches('traces', 3)[0]!
const ITEMS = BATCH.items
const DOCUMENT = toJson('traces', BATCH.chunks)
const JSON_TYPE = 'application/json'

test.each(SIGNALS)('%s as JSON go on as protobuf', async (signal) => {
  const { http, sink } = await running({ signals: [signal] })
  const { chunks, items } = someBatches(signal, 3)[0]!
  const answer = postRaw(http, toJson(signal, chunks), { type: JSON_TYPE, path: HTTP_PATHS[signal] })
  await arrived(sink)
  const [delivery] = sink.deliveries
  expect(delivery!.batch.items).toBe(items)
  expect(readProtobufEs(signal, delivery!.batch.chunks[0]!)).toEqual(readProtobufEs(signal, chunks[0]!))
  ack(delivery!)
  const { status, headers, body } = await answer
  expect([status, headers['content-type'], body.toString()]).toEqual([200, JSON_TYPE, '{"partialSuccess":{}}'])
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
  ['deflate', deflateSync],
  ['zlib', deflateSync],
] as const)('in %s, with a charset', async (encoding, compress) => {
  const { http, sink } = await running({ grpc: false })
  const headers = { 'content-encoding': encoding }
  const answer = postRaw(http, compress(DOCUMENT), { type: 'Application/JSON; charset=utf-8', headers })
  await arrived(sink)
  expect(sink.deliveries[0]!.batch.items).toBe(ITEMS)
  ack(sink.deliveries[0]!)
  expect((await answer).status).toBe(200)
})

test('a failure and a partial success are told in JSON', async () => {
  const { http, sink } = await running({ grpc: false, acknowledge: 'delivered' })
  const refused = postRaw(http, DOCUMENT, { type: JSON_TYPE })
  await arrived(sink)
  nack(sink.deliveries[0]!, { verdict: 'retry', reason: 'queue_full', message: 'no room', retryAfterMs: 1500 })
  const { status, headers, body } = await refused
  expect([status, headers['content-type'], headers['retry-after']]).toEqual([503, JSON_TYPE, '2'])
  expect(JSON.parse(body.toString())).toEqual({
    code: 14,
    message: 'no room',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.500s' }],
  })
  const partial = postRaw(http, DOCUMENT, { type: JSON_TYPE })
  await arrived(sink, 2)
  sink.deliveries[1]!.admit()
  sink.deliveries[1]!.settle({ ok: true, rejected: 2, message: 'too old' })
  expect(JSON.parse((await partial).body.toString())).toEqual({
    partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' },
  })
})

test('what is no OTLP/JSON is 400 with place and path, counted, and costs nothing else', async () => {
  const { http, sink, ctx } = await running({ grpc: false })
  const bad = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"abc"}]}]}]}'
  for (const [json, place] of [
    [bad, 'byte 54: resourceSpans[0].scopeSpans[0].spans[0].traceId: expected 32 hexadecimal digits, got 3 characters'],
    ['', 'byte 0: expected an object, got the end of the document'],
  ] as const) {
    const { status, headers, body } = await postRaw(http, Buffer.from(json), { type: JSON_TYPE })
    expect([status, headers['content-type']]).toEqual([400, JSON_TYPE])
    expect(JSON.parse(body.toString())).toEqual({ code: 3, message: `malformed OTLP at ${place}` })
  }
  expect(ctx.meter.total('sluice_receiver_malformed_requests')).toBe(2)
  const empty = await postRaw(http, Buffer.from('{}'), { type: JSON_TYPE })
  expect(empty.status).toBe(200)
  expect(sink.deliveries).toHaveLength(0)
})

test('the limit of a body counts for its protobuf form too', async () => {
  const { http, ctx } = await running({ grpc: false, http: { max_request_body_size: 3000 } })
  const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":[${'0,'.repeat(999)}0]}]}}]}]}]}`
  const { status, body } = await postRaw(http, Buffer.from(json), { type: JSON_TYPE, path: HTTP_PATHS.metrics })
  expect([status, JSON.parse(body.toString())]).toEqual([
    413,
    { code: 3, message: expect.stringContaining('http: request body too large') },
  ])
  expect(ctx.meter.total('sluice_receiver_malformed_requests')).toBe(0)
})
