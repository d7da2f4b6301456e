import { describe, expect, test } from 'vitest'
import { ack, type Failure, nack } from '../../../src/component/delivery.ts'
import { decodeStatus } from '../../../src/transport/rpc-status.ts'
import { type CallStatus, GRPC } from '../../../src/transport/unary.ts'
import { someBatches } from '../../contract/support/data.ts'
import { jsClient } from '../../transport/support/grpc-peers.ts'
import { callRaw, postRaw } from './support/raw-clients.ts'
import { arrived, cleanups, running } from './support/running.ts'

// The table of the Collector's answers, row by row: what became of the data, and what four clients read. grpc-js and a bare
// HTTP/2 client over gRPC, bare sockets with protobuf and with JSON over HTTP. It does not show which failures components make; their tests do.

const BODY = someBatches('traces', 1)[0]!.chunks[0]!

const JSON_BODY = Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}')

const failure = (fields: Partial<Failure>): Failure => ({
  verdict: 'retry',
  reason: 'queue_full',
  message: 'exporter otlp: 100 % full',
  ...fields,
})
const rejectedWith = (grpcStatus: number): Failure => failure({ verdict: 'reject', reason: 'rejected', grpcStatus })
const retryOf = (grpcStatus: number): Failure => failure({ reason: 'unavailable', grpcStatus })

/** Name, failure, gRPC status, HTTP status, RetryInfo in ms, which as `Retry-After` is rounded up to seconds. */
const ROWS: readonly (readonly [string, Failure, number, number, number | undefined])[] = [
  ['a plain error, such as a full queue', failure({}), GRPC.UNAVAILABLE, 503, 1000],
  ['one with a delay', failure({ retryAfterMs: 1500 }), GRPC.UNAVAILABLE, 503, 1500],
  ['one with a delay of a millisecond', failure({ retryAfterMs: 1 }), GRPC.UNAVAILABLE, 503, 1],
  ['memory', failure({ reason: 'memory_limited' }), GRPC.UNAVAILABLE, 503, 1000],
  ['a backend that nobody reaches', failure({ reason: 'unreachable' }), GRPC.UNAVAILABLE, 503, 5000],
  ['a process that goes away', failure({ verdict: 'stopping', reason: 'stopping' }), GRPC.UNAVAILABLE, 503, 1000],
  ['a permanent error', failure({ verdict: 'reject', reason: 'broken' }), GRPC.INTERNAL, 500, undefined],
  ['CANCELLED behind', retryOf(GRPC.CANCELLED), GRPC.CANCELLED, 503, 5000],
  ['DEADLINE_EXCEEDED behind', retryOf(GRPC.DEADLINE_EXCEEDED), GRPC.DEADLINE_EXCEEDED, 503, 5000],
  ['ABORTED behind', retryOf(GRPC.ABORTED), GRPC.ABORTED, 503, 5000],
  ['OUT_OF_RANGE behind', retryOf(GRPC.OUT_OF_RANGE), GRPC.OUT_OF_RANGE, 503, 5000],
  ['UNAVAILABLE behind', retryOf(GRPC.UNAVAILABLE), GRPC.UNAVAILABLE, 503, 5000],
  ['DATA_LOSS behind', retryOf(GRPC.DATA_LOSS), GRPC.DATA_LOSS, 503, 5000],
  [
    'RESOURCE_EXHAUSTED with a delay behind',
    { ...retryOf(GRPC.RESOURCE_EXHAUSTED), retryAfterMs: 500 },
    GRPC.RESOURCE_EXHAUSTED,
    429,
    500,
  ],
  ['HTTP 429 without a delay behind', retryOf(GRPC.RESOURCE_EXHAUSTED), GRPC.RESOURCE_EXHAUSTED, 429, 5000],
  ['RESOURCE_EXHAUSTED for good', rejectedWith(GRPC.RESOURCE_EXHAUSTED), GRPC.RESOURCE_EXHAUSTED, 429, undefined],
  ['INVALID_ARGUMENT', rejectedWith(GRPC.INVALID_ARGUMENT), GRPC.INVALID_ARGUMENT, 400, undefined],
  ['UNAUTHENTICATED', rejectedWith(GRPC.UNAUTHENTICATED), GRPC.UNAUTHENTICATED, 401, undefined],
  ['PERMISSION_DENIED', rejectedWith(GRPC.PERMISSION_DENIED), GRPC.PERMISSION_DENIED, 403, undefined],
  ['UNIMPLEMENTED', rejectedWith(GRPC.UNIMPLEMENTED), GRPC.UNIMPLEMENTED, 404, undefined],
  ['UNKNOWN', rejectedWith(GRPC.UNKNOWN), GRPC.UNKNOWN, 500, undefined],
  ['NOT_FOUND', rejectedWith(GRPC.NOT_FOUND), GRPC.NOT_FOUND, 500, undefined],
  ['ALREADY_EXISTS', rejectedWith(GRPC.ALREADY_EXISTS), GRPC.ALREADY_EXISTS, 500, undefined],
  ['FAILED_PRECONDITION', rejectedWith(GRPC.FAILED_PRECONDITION), GRPC.FAILED_PRECONDITION, 500, undefined],
  ['INTERNAL', rejectedWith(GRPC.INTERNAL), GRPC.INTERNAL, 500, undefined],
  // The verdict decides where it and the peer's status disagree, so that the client does what the verdict says.
  ['a rejection by what clients repeat', rejectedWith(GRPC.UNAVAILABLE), GRPC.INTERNAL, 500, undefined],
  ['a retry of what clients drop', retryOf(GRPC.INTERNAL), GRPC.UNAVAILABLE, 503, 5000],
]

test.each(ROWS)('%s', async (_name, cause, code, httpStatus, retryAfterMs) => {
  const { grpc, http, sink } = await running()
  const js = jsClient(grpc)
  cleanups.push(() => js.close())
  const answers = [
    js.call(BODY),
    callRaw(grpc, BODY),
    postRaw(http, BODY),
    postRaw(http, JSON_BODY, { type: 'application/json; charset=utf-8' }),
  ] as const
  await arrived(sink, 4)
  for (const delivery of sink.deliveries) nack(delivery, cause)
  const expected: CallStatus = { code, message: cause.message, ...(retryAfterMs !== undefined && { retryAfterMs }) }

  const { error } = await answers[0]
  expect([error!.code, error!.details]).toEqual([code, cause.message])
  const details = error!.metadata.get('grpc-status-details-bin')[0]
  if (retryAfterMs === undefined) expect(details).toBeUndefined()
  else expect(decodeStatus(details as Buffer)).toEqual(expected)

  const raw = await answers[1]
  expect([raw.httpStatus, raw.headers['content-type'], raw.message.length]).toEqual([200, 'application/grpc', 0])
  expect(raw.status).toEqual(expected)

  const reply = await answers[2]
  expect([reply.status, reply.headers['content-type']]).toEqual([httpStatus, 'application/x-protobuf'])
  expect(reply.headers['retry-after']).toBe(
    retryAfterMs === undefined ? undefined : String(Math.ceil(retryAfterMs / 1000)),
  )
  expect(decodeStatus(reply.body)).toEqual(expected)

  const inJson = await answers[3]
  expect([inJson.status, inJson.headers['content-type']]).toEqual([httpStatus, 'application/json'])
  expect(inJson.headers['retry-after']).toBe(reply.headers['retry-after'])
  const { code: seenCode, message, details: seenDetails = [] } = JSON.parse(inJson.body.toString()) as JsonStatus
  expect([seenCode, message]).toEqual([code, cause.message])
  expect(seenDetails).toEqual(
    retryAfterMs === undefined
      ? []
      : [
          {
            '@type': 'type.googleapis.com/google.rpc.RetryInfo',
            retryDelay: `${retryAfterMs % 1000 === 0 ? retryAfterMs / 1000 : (retryAfterMs / 1000).toFixed(3)}s`,
          },
        ],
  )
})

interface JsonStatus {
  readonly code: number
  readonly message: string
  readonly details?: readonly object[]
}

describe('without data', () => {
  test('an empty envelope is a success, in no encoding but the plain one', async () => {
    const { grpc, http, sink } = await running()
    const raw = await callRaw(grpc, new Uint8Array(0), { headers: { 'grpc-accept-encoding': 'gzip' } })
    expect([raw.status, raw.message.length]).toEqual([{ code: 0, message: '' }, 0])
    const reply = await postRaw(http, new Uint8Array(0), { headers: { 'Accept-Encoding': 'gzip, zstd' } })
    expect([reply.status, reply.headers['content-encoding'], reply.body.length]).toEqual([200, undefined, 0])
    const inJson = await postRaw(http, Buffer.from('{}'), { type: 'application/json' })
    expect([inJson.status, inJson.headers['content-type'], inJson.body.toString()]).toEqual([
      200,
      'application/json',
      '{"partialSuccess":{}}',
    ])
    expect(sink.deliveries).toEqual([])
  })

  test('a signal without a pipeline is not implemented, and no path', async () => {
    const { grpc, http, sink } = await running({ signals: ['logs'] })
    expect((await callRaw(grpc, BODY)).status).toEqual({
      code: GRPC.UNIMPLEMENTED,
      message: 'unknown service opentelemetry.proto.collector.trace.v1.TraceService',
    })
    expect((await postRaw(http, BODY)).status).toBe(404)
    expect(sink.deliveries).toEqual([])
  })
})

describe('a body that is no OTLP', () => {
  test('is 400 in the encoding that it claims, and a neighbour is served', async () => {
    const { http, sink } = await running({ grpc: false })
    const garbage = Buffer.from('\xff\xfe garbage', 'latin1')
    const proto = await postRaw(http, garbage)
    expect([proto.status, proto.headers['content-type']]).toEqual([400, 'application/x-protobuf'])
    expect(decodeStatus(proto.body)?.code).toBe(GRPC.INVALID_ARGUMENT)
    const json = await postRaw(http, garbage, { type: 'application/json' })
    expect([json.status, json.headers['content-type']]).toEqual([400, 'application/json'])
    expect((JSON.parse(json.body.toString()) as JsonStatus).code).toBe(GRPC.INVALID_ARGUMENT)
    expect(sink.deliveries).toEqual([])
    const good = postRaw(http, BODY)
    await arrived(sink)
    ack(sink.last)
    expect((await good).status).toBe(200)
  })

  test.each(['application/x-protobuf', 'application/json'])('is 413 above the limit, as %s', async (type) => {
    const { http } = await running({ grpc: false, http: { max_request_body_size: 1000 } })
    const reply = await postRaw(http, Buffer.alloc(1001, ' '), { type })
    expect([reply.status, reply.headers['content-type'], reply.headers['retry-after']]).toEqual([413, type, undefined])
    expect(reply.body.toString()).toContain('http: request body too large')
  })
})

test.each([
  ['application/x-protobuf', (body: Buffer) => decodeStatus(body)],
  ['application/json', (body: Buffer) => JSON.parse(body.toString()) as JsonStatus],
] as const)('a coding that is not taken is 400, in words and as %s', async (type, read) => {
  const { http, sink } = await running({ grpc: false, http: { compression_algorithms: ['', 'gzip'] } })
  const reply = await postRaw(http, BODY, { type, headers: { 'Content-Encoding': 'br' } })
  expect([reply.status, reply.headers['content-type']]).toEqual([400, type])
  const message = 'unsupported Content-Encoding: br; supported: [identity, gzip]'
  expect(read(reply.body)).toEqual({ code: GRPC.INVALID_ARGUMENT, message })
  expect(sink.deliveries).toEqual([])
})

describe('in the words of HTTP alone', () => {
  test.each<[string, Parameters<typeof postRaw>[2], number, Record<string, string>, string]>([
    ['a path', { path: '/v1/spans' }, 404, { 'content-type': 'text/plain; charset=utf-8' }, '404 page not found\n'],
    [
      'a method',
      { method: 'GET' },
      405,
      { 'content-type': 'text/plain', allow: 'POST' },
      '405 method not allowed, supported: [POST]',
    ],
    [
      'OPTIONS without CORS',
      { method: 'OPTIONS' },
      405,
      { allow: 'POST' },
      '405 method not allowed, supported: [POST]',
    ],
    [
      'a type',
      { type: 'text/plain' },
      415,
      { 'content-type': 'text/plain' },
      '415 unsupported media type, supported: [',
    ],
    [
      'no type',
      { type: '' },
      415,
      { 'content-type': 'text/plain' },
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    ],
  ])('%s', async (_name, options, status, headers, text) => {
    const { http, sink } = await running({ grpc: false })
    const reply = await postRaw(http, BODY, options)
    expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject(headers)
    expect(reply.body.toString().startsWith(text)).toBe(true)
    expect(sink.deliveries).toEqual([])
  })
})

test('response_headers stand on every answer, whatever it says', async () => {
  const { http, sink } = await running({ grpc: false, http: { response_headers: { 'X-Served-By': 'a b' } } })
  const answers = [postRaw(http, BODY), postRaw(http, BODY, { path: '/' }), postRaw(http, Buffer.from('garbage'))]
  await arrived(sink)
  ack(sink.last)
  const seen = (await Promise.all(answers)).map(({ status, headers }) => [status, headers['x-served-by']])
  expect(seen).toEqual([
    [200, 'a b'],
    [404, 'a b'],
    [400, 'a b'],
  ])
})
