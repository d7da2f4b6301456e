/** Odd and broken requests to an `otlp` receiver, and what came back in a form that two servers can be compared by. */
import { request } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Client, credentials } from '@grpc/grpc-js'
import { writeProtobufjs } from '../../otlp/support/oracles.ts'
import { exportPath } from '../../support/otlp-services.ts'
import { richRequest } from './telemetry.ts'

/** Receivers under test take no larger HTTP bodies, and no gRPC messages over a mebibyte. */
export const LARGEST_BODY = 100_000

const PROTO = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
const body = Buffer.from(writeProtobufjs('traces', richRequest('traces', 'x')))
const document = (span: string): Buffer => Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[{${span}}]}]}]}`)
const SPAN = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x"'

interface HttpCase {
  readonly method?: string
  readonly path?: string
  readonly type?: string
  readonly coding?: string
  readonly body?: Uint8Array
}

const proto = (more: HttpCase = {}): HttpCase => ({ type: PROTO, body, ...more })
const json = (bytes: Buffer | string, more: HttpCase = {}): HttpCase => ({
  type: JSON_TYPE,
  body: Buffer.from(bytes),
  ...more,
})

export const HTTP_CASES: Readonly<Record<string, HttpCase>> = {
  protobuf: proto(),
  JSON: json(document(SPAN)),
  'JSON with a charset': json(document(SPAN), { type: 'application/json; charset=utf-8' }),
  'JSON by another case': json(document(SPAN), { type: 'Application/JSON' }),
  'protobuf with a parameter': proto({ type: `${PROTO}; x=y` }),
  'a query behind the path': proto({ path: '/v1/traces?x=1' }),
  ...Object.fromEntries(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'].map((method) => [method, { method }])),
  'no content type': { body },
  'text/plain': proto({ type: 'text/plain' }),
  'a content type that is none': proto({ type: ';;;' }),
  'an unknown path': proto({ path: '/v1/nope' }),
  'the root': proto({ path: '/' }),
  'a slash behind the path': proto({ path: '/v1/traces/' }),
  'two slashes': proto({ path: '//v1/traces' }),
  'GET of an unknown path': { method: 'GET', path: '/nope' },
  'a signal without a pipeline': proto({ path: '/v1/metrics' }),
  'no bytes': proto({ body: new Uint8Array(0) }),
  'no bytes of JSON': json(''),
  'an empty object': json('{}'),
  null: json('null'),
  'a list': json('[]'),
  'JSON that ends early': json('{"resourceSpans": ['),
  'JSON and more': json('{} x'),
  'an id that is not hexadecimal': json(document('"traceId":"zz"')),
  'an id that is too short': json(document('"traceId":"abcd"')),
  'what is not protobuf': proto({ body: Buffer.from('\xff\xff\xff\xff garbage') }),
  gzip: proto({ coding: 'gzip', body: gzipSync(body) }),
  GZIP: proto({ coding: 'GZIP', body: gzipSync(body) }),
  identity: proto({ coding: 'identity' }),
  'gzip that is none': proto({ coding: 'gzip' }),
  'gzip that ends early': proto({ coding: 'gzip', body: gzipSync(body).subarray(0, 200) }),
  'gzip twice': proto({ coding: 'gzip, gzip', body: gzipSync(gzipSync(body)) }),
  brotli: proto({ coding: 'br', body: brotliCompressSync(body) }),
  'JSON by brotli': json(brotliCompressSync(document(SPAN)), { coding: 'br' }),
  'more than it takes': proto({ body: new Uint8Array(2 * LARGEST_BODY).fill(10) }),
  'more JSON than it takes': json(`{"resourceSpans":[${' '.repeat(2 * LARGEST_BODY)}]}`),
  'gzip that becomes more than it takes': proto({ coding: 'gzip', body: gzipSync(new Uint8Array(3 * LARGEST_BODY)) }),
}

/** Status, content type, and the code of the `google.rpc.Status` in the body, where there is one. */
export function askHttp(
  port: number,
  { method = 'POST', path = '/v1/traces', type, coding, body }: HttpCase,
): Promise<string> {
  const headers = {
    ...(type !== undefined && { 'content-type': type }),
    ...(coding !== undefined && { 'content-encoding': coding }),
    ...(body !== undefined && { 'content-length': body.length }),
  }
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const answer = Buffer.concat(chunks)
        const contentType = response.headers['content-type'] ?? 'no type'
        const refused = response.statusCode! >= 400
        const code = !refused
          ? ''
          : contentType === PROTO
            ? ` code ${statusCode(answer)}`
            : jsonCode(contentType, answer)
        resolve(`${response.statusCode} ${contentType}${code}`)
      })
    })
    call.once('error', reject)
    call.end(body)
  })
}

/** Field 1 of a `google.rpc.Status`, a small number that stands first. */
function statusCode(status: Buffer): number | undefined {
  return status[0] === 0x08 ? status[1] : undefined
}

function jsonCode(contentType: string, answer: Buffer): string {
  if (contentType !== JSON_TYPE) return ''
  return ` code ${(JSON.parse(answer.toString()) as { code: number }).code}`
}

interface GrpcCase {
  readonly path?: string
  readonly body: Uint8Array
  /** grpc-js' number of a compression: 1 is deflate, 2 gzip. */
  readonly compression?: 1 | 2
}

const MIB = 1 << 20
const SERVICE = exportPath('traces').slice(0, -'/Export'.length)

export const GRPC_CASES: Readonly<Record<string, GrpcCase>> = {
  'a request': { body },
  'no bytes': { body: new Uint8Array(0) },
  gzip: { body, compression: 2 },
  deflate: { body, compression: 1 },
  'what is not protobuf': { body: Buffer.from('\xff\xff garbage') },
  'an unknown method': { path: `${SERVICE}/Nope`, body },
  'an unknown service': { path: '/nope.Service/Export', body },
  'a signal without a pipeline': { path: exportPath('metrics'), body: new Uint8Array(0) },
  'more than it takes': { body: new Uint8Array(2 * MIB).fill(10) },
  'gzip that becomes more than it takes': { body: new Uint8Array(3 * MIB).fill(10), compression: 2 },
}

/** The status code, by its number. */
export function askGrpc(port: number, { path = exportPath('traces'), body, compression }: GrpcCase): Promise<string> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    ...(compression !== undefined && { 'grpc.default_compression_algorithm': compression }),
  })
  const same = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, body, (error) => {
      client.close()
      resolve(`status ${error === null ? 0 : error.code}`)
    })
  })
}
