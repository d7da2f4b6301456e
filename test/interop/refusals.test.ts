import { mkdtempSync, rmSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GRPC_PATHS } from '../../src/transport/otlp-services.ts'
import { decodeStatus } from '../../src/transport/rpc-status.ts'
import { callRaw, postRaw } from '../receivers/otlp/support/raw-clients.ts'
import { running } from '../receivers/otlp/support/running.ts'
import { freePort } from '../support/ports.ts'
import { otelcol } from './peers/registry.ts'
import { startCollector } from './support/collector.ts'
import { endPeers, needs } from './support/peers.ts'

// The same wrong requests to the Go Collector's receiver and to this one: what a client acts on has to be the same, but where
// the table says that it is not, and why. What this does not prove: the wording, which differs wherever it can say more.

const { skip, note } = needs(otelcol)

const LIMIT = 1000
const CORS = { allowed_origins: ['https://*.example'], max_age: 10, exposed_headers: ['x-a'] }

let folder: string
let collector: { readonly grpc: string; readonly http: string }

beforeAll(async () => {
  if (skip) return
  folder = mkdtempSync(join(tmpdir(), 'sluice-refusals-'))
  const [grpcPort, httpPort] = [await freePort(), await freePort()]
  collector = { grpc: `127.0.0.1:${grpcPort}`, http: `127.0.0.1:${httpPort}` }
  const yaml = JSON.stringify({
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: collector.grpc, max_recv_msg_size_mib: 1 },
          http: { endpoint: collector.http, max_request_body_size: LIMIT, cors: CORS },
        },
      },
    },
    exporters: { debug: {} },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } },
    },
  })
  await startCollector(folder, 'refusals', yaml, httpPort)
})
afterAll(() => {
  if (skip) return
  endPeers()
  rmSync(folder, { recursive: true, force: true })
})

const sluice = (): ReturnType<typeof running> =>
  running({
    signals: ['traces'],
    grpc: { max_recv_msg_size_mib: 1 },
    http: { max_request_body_size: LIMIT, cors: CORS },
  })

type Request = NonNullable<Parameters<typeof postRaw>[2]>
const PROTO = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
const large = Buffer.alloc(2 * LIMIT)
const preflight = (origin: string, method: string, asked?: string): Request => ({
  method: 'OPTIONS',
  type: '',
  headers: {
    Origin: origin,
    'Access-Control-Request-Method': method,
    ...(asked !== undefined && { 'Access-Control-Request-Headers': asked }),
  },
})

const spanOf = (fields: string): Buffer => Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`)
/** Takes nobody to settle it. */
const EMPTY = Buffer.from('{}')
const SPAN = spanOf('"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x"')

describe.skipIf(skip)(`HTTP answers as the Go Collector's${note}`, () => {
  test.each<[string, Buffer, Request, { status: number; type?: string; code?: number | undefined }?]>([
    ['no items', Buffer.alloc(0), {}],
    ['no items in JSON', Buffer.from('{}'), { type: JSON_TYPE }],
    ['GET', Buffer.alloc(0), { method: 'GET' }],
    ['PUT', Buffer.alloc(0), { method: 'PUT' }],
    ['OPTIONS that are no preflight', Buffer.alloc(0), { method: 'OPTIONS' }],
    ['another type', Buffer.from('x'), { type: 'text/plain' }],
    ['no type', Buffer.from('x'), { type: '' }],
    // What is meant is clear.
    ['a type with half a parameter', Buffer.alloc(0), { type: `${PROTO};foo` }, { status: 200, type: PROTO }],
    ['a type with parameters', Buffer.alloc(0), { type: `${PROTO}; charset=utf-8` }],
    ['another path', Buffer.alloc(0), { path: '/v1/nope' }],
    ['a path with a slash more', Buffer.alloc(0), { path: '/v1/traces/' }],
    ['a path with a query', Buffer.alloc(0), { path: '/v1/traces?a=b' }],
    ['a signal without a pipeline', Buffer.alloc(0), { path: '/v1/metrics' }],
    ['an unknown coding', Buffer.from('x'), { headers: { 'Content-Encoding': 'br' } }],
    ['an unknown coding of JSON', Buffer.from('x'), { type: JSON_TYPE, headers: { 'Content-Encoding': 'br' } }],
    ['a coding that it is not in', Buffer.from('x'), { headers: { 'Content-Encoding': 'gzip' } }],
    ['broken protobuf', Buffer.from('xxx'), {}],
    ['broken JSON', Buffer.from('xxx'), { type: JSON_TYPE }],
    ['no JSON at all', Buffer.alloc(0), { type: JSON_TYPE }],
    // 413 is what exporters that split by size understand; the Collector says 400.
    ['too large', large, {}, { status: 413 }],
    ['too large once unpacked', gzipSync(large), { headers: { 'Content-Encoding': 'gzip' } }, { status: 413 }],
    [
      'too much JSON',
      Buffer.from(`{"resourceSpans":[${' '.repeat(2 * LIMIT)}]}`),
      { type: JSON_TYPE },
      { status: 413 },
    ],
    ['HEAD', Buffer.alloc(0), { method: 'HEAD' }],
    ['DELETE', Buffer.alloc(0), { method: 'DELETE' }],
    ['GET of another path', Buffer.alloc(0), { method: 'GET', path: '/nope' }],
    // No client of OTLP follows a redirect with its body.
    ['two slashes', Buffer.alloc(0), { path: '//v1/traces' }, { status: 404, type: 'text/plain' }],
    ['a type by another case', EMPTY, { type: 'Application/JSON' }],
    ['a type that is none', SPAN, { type: ';;;' }],
    ['null', Buffer.from('null'), { type: JSON_TYPE }],
    ['a list', Buffer.from('[]'), { type: JSON_TYPE }],
    ['JSON that ends early', SPAN.subarray(0, -5), { type: JSON_TYPE }],
    // What follows would be lost in silence.
    ['JSON and more', Buffer.from('{} x'), { type: JSON_TYPE }, { status: 400, code: 3 }],
    ['an id that is not hexadecimal', spanOf('"traceId":"zz"'), { type: JSON_TYPE }],
    ['an id that is too short', spanOf('"traceId":"abcd"'), { type: JSON_TYPE }],
    // Codings are compared without case, and one that does nothing is none: RFC 9110, section 8.4.1.
    [
      'GZIP',
      gzipSync(EMPTY),
      { type: JSON_TYPE, headers: { 'Content-Encoding': 'GZIP' } },
      { status: 200, code: undefined },
    ],
    [
      'identity',
      EMPTY,
      { type: JSON_TYPE, headers: { 'Content-Encoding': 'identity' } },
      { status: 200, code: undefined },
    ],
    ['gzip', gzipSync(EMPTY), { type: JSON_TYPE, headers: { 'Content-Encoding': 'gzip' } }],
    ['gzip that ends early', gzipSync(SPAN).subarray(0, 50), { headers: { 'Content-Encoding': 'gzip' } }],
    ['gzip twice', gzipSync(gzipSync(SPAN)), { headers: { 'Content-Encoding': 'gzip, gzip' } }],
    ['a preflight', Buffer.alloc(0), preflight('https://a.example', 'POST', 'content-type,x-requested-with')],
    ['a preflight for a header', Buffer.alloc(0), preflight('https://a.example', 'POST', 'authorization')],
    ['a preflight for a method', Buffer.alloc(0), preflight('https://a.example', 'DELETE')],
    ['a preflight from elsewhere', Buffer.alloc(0), preflight('https://a.else', 'POST')],
    ['a page', Buffer.alloc(0), { headers: { Origin: 'https://a.example' } }],
    ['a page from elsewhere', Buffer.alloc(0), { headers: { Origin: 'https://a.else' } }],
  ])('%s', async (_name, body, request, ours) => {
    const { http } = await sluice()
    const seen = async (address: string) => {
      const { body: answer, headers, status } = await postRaw(address, body, request)
      const type = headers['content-type']?.split(';')[0]
      const code =
        status < 400 || type === 'text/plain'
          ? undefined
          : type === JSON_TYPE
            ? (JSON.parse(answer.toString()) as { code: number }).code
            : decodeStatus(answer)?.code
      const cors = Object.entries(headers)
        .filter(([name]) => name.startsWith('access-control-') || name === 'vary')
        .map(([name, value]) => `${name}: ${value.toLowerCase()}`)
        .sort()
      return { status, type, code, cors }
    }
    const [expected, actual] = [await seen(collector.http), await seen(http)]
    expect(actual).toEqual({ ...expected, ...ours })
  })
})

describe.skipIf(skip)(`gRPC answers as the Go Collector's${note}`, () => {
  test.each<[string, Buffer, { path?: string; headers?: OutgoingHttpHeaders; compressed?: boolean }, number?]>([
    ['no items', Buffer.alloc(0), {}],
    ['a method', Buffer.alloc(0), { path: GRPC_PATHS.traces.replace('Export', 'Nope') }],
    ['a service', Buffer.alloc(0), { path: '/a.b/C' }],
    ['a path that is none', Buffer.alloc(0), { path: '/' }],
    ['a signal without a pipeline', Buffer.alloc(0), { path: GRPC_PATHS.metrics }],
    ['a type', Buffer.alloc(0), { headers: { 'content-type': 'application/json' } }],
    ['a subtype', Buffer.alloc(0), { headers: { 'content-type': 'application/grpc+proto' } }],
    ['a coding', Buffer.alloc(0), { headers: { 'grpc-encoding': 'br' } }],
    ['too large', Buffer.alloc(1 + (1 << 20)), {}],
    ['gzip', gzipSync(Buffer.alloc(0)), { headers: { 'grpc-encoding': 'gzip' }, compressed: true }],
    // A compression more than there.
    ['deflate', deflateSync(Buffer.alloc(0)), { headers: { 'grpc-encoding': 'deflate' }, compressed: true }, 0],
    [
      'too large once unpacked',
      gzipSync(Buffer.alloc(1 + (1 << 20))),
      { headers: { 'grpc-encoding': 'gzip' }, compressed: true },
    ],
    // grpc-go's INTERNAL makes a client drop its data as well; the receiver's HTTP side calls it INVALID_ARGUMENT.
    ['broken protobuf', Buffer.from('xxx'), {}, 3],
  ])('%s', async (_name, body, request, ours) => {
    const { grpc } = await sluice()
    const seen = async (address: string) => {
      const { httpStatus, status } = await callRaw(address, body, request)
      return { httpStatus, code: status?.code }
    }
    const [expected, actual] = [await seen(collector.grpc), await seen(grpc)]
    expect(actual).toEqual({ ...expected, ...(ours !== undefined && { code: ours }) })
  })
})
