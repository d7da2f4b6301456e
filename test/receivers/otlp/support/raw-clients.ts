import * as http2 from 'node:http2'
import * as net from 'node:net'
import { messagePrefix } from '../../../../src/transport/grpc-message.ts'
import { GRPC_PATHS } from '../../../../src/transport/otlp-services.ts'
import { readTrailers } from '../../../../src/transport/rpc-status.ts'
import type { CallStatus } from '../../../../src/transport/unary.ts'

/** What came back on a raw socket. */
export interface RawAnswer {
  readonly status: number
  /** Lower-case names; of several of a name the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Everything, as text. */
  readonly text: string
}

/** A socket to `host:port`. */
export function connectTo(address: string): net.Socket {
  const at = address.lastIndexOf(':')
  return net.connect(Number(address.slice(at + 1)), address.slice(0, at).replace(/^\[|\]$/g, ''))
}

/** Resolves when it has closed, also by an error, which `once` of node:events would reject with. */
export function closed(one: net.Socket | http2.ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => one.once('close', () => resolve()))
}

/** Writes `parts` and reads until the server ends the connection: send `Connection: close` where it should. */
export async function exchange(address: string, ...parts: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const socket = connectTo(address)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  // A server that cuts answers first, or does not answer at all; either way what came is what counts.
  socket.on('error', () => {})
  for (const part of parts) socket.write(part)
  await closed(socket)
  return parseAnswer(Buffer.concat(chunks))
}

/** One OTLP/HTTP request over a socket of its own. */
export function postRaw(
  address: string,
  body: Uint8Array,
  {
    path = '/v1/traces',
    method = 'POST',
    type = 'application/x-protobuf',
    headers = {},
  }: { path?: string; method?: string; type?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<RawAnswer> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: test',
    'Connection: close',
    `Content-Length: ${body.length}`,
    ...(type === '' ? [] : [`Content-Type: ${type}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  return exchange(address, `${lines.join('\r\n')}\r\n\r\n`, body)
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: bytes.subarray(end < 0 ? 0 : end + 4), text }
}

export interface RawCall {
  readonly status: CallStatus | undefined
  readonly httpStatus: number
  readonly headers: http2.IncomingHttpHeaders
  /** The message of the answer, without its prefix; empty where there is none. */
  readonly message: Buffer
}

/** One gRPC call over a connection of its own, as bytes: no library between the test and the server. */
export async function callRaw(
  address: string,
  body: Uint8Array,
  { path = GRPC_PATHS.traces, headers = {} as http2.OutgoingHttpHeaders, compressed = false } = {},
): Promise<RawCall> {
  const session = http2.connect(`http://${address}`)
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    let answered: http2.IncomingHttpHeaders = {}
    let trailers: http2.IncomingHttpHeaders = {}
    const chunks: Buffer[] = []
    stream.on('response', (seen) => {
      answered = seen
    })
    stream.on('trailers', (seen) => {
      trailers = seen
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.write(messagePrefix(body.length, compressed))
    stream.end(body)
    await closed(stream)
    return {
      status: readTrailers(trailers) ?? readTrailers(answered),
      httpStatus: Number(answered[':status'] ?? 0),
      headers: answered,
      message: Buffer.concat(chunks).subarray(5),
    }
  } finally {
    session.close()
  }
}
