import type { ComponentContext } from '../../src/component/contracts.ts'
import { corsOptions } from '../../src/config/cors-fields.ts'
import { serverKeepalive } from '../../src/config/grpc-server-fields.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import type { Encoding } from '../../src/transport/compression.ts'
import { type ListenAddress, parseListenAddress } from '../../src/transport/listen-address.ts'
import { signalsByPath } from '../../src/transport/otlp-services.ts'
import type { ServerTls } from '../../src/transport/tls.ts'
import type { TlsEnvironment } from '../../src/transport/tls-material.ts'
import type { Server, ServerHandler } from '../../src/transport/unary.ts'
import { complaints } from './complaints.ts'
import type { GrpcConfig, HttpConfig } from './fields.ts'
import { pathsOf } from './paths.ts'

const MIB = 1 << 20
// grpc-go's, which hold where nothing is written.
const DEFAULT_MESSAGE_MIB = 4
const DEFAULT_BODY_BYTES = 20 * MIB

/** What the servers need of the receiver's context. */
type ServerContext = Pick<ComponentContext, 'admission' | 'clock' | 'lane' | 'log' | 'shared'>

export async function startGrpc(
  config: GrpcConfig,
  signals: readonly Signal[],
  ctx: ServerContext,
  handler: ServerHandler,
): Promise<Server> {
  const { admission, clock, log } = ctx
  const { serveGrpc } = await import('../../src/transport/grpc-server.ts')
  return await serveGrpc(
    {
      address: addressOf(config),
      admission,
      configuredBy: 'protocols.grpc.endpoint',
      signals,
      maxMessageBytes: (config.max_recv_msg_size_mib || DEFAULT_MESSAGE_MIB) * MIB,
      ...(config.max_concurrent_streams > 0 && { maxConcurrentStreams: config.max_concurrent_streams }),
      ...(await tlsOf(config, { configuredBy: 'protocols.grpc.tls', clock, log })),
      keepalive: serverKeepalive(config.keepalive),
      readTimeoutMs: config.read_timeout,
      complain: complaints(ctx, 'grpc'),
    },
    handler,
  )
}

export async function startHttp(
  config: HttpConfig,
  signals: readonly Signal[],
  ctx: ServerContext,
  handler: ServerHandler,
): Promise<Server> {
  const { admission, clock, log } = ctx
  const { serveHttp } = await import('../../src/transport/http-server.ts')
  const cors = corsOptions(config.cors)
  return await serveHttp(
    {
      address: addressOf(config),
      admission,
      configuredBy: 'protocols.http.endpoint',
      paths: signalsByPath(pathsOf(config), signals),
      maxBodyBytes: config.max_request_body_size || DEFAULT_BODY_BYTES,
      encodings: encodingsOf(config),
      ...(await tlsOf(config, { configuredBy: 'protocols.http.tls', clock, log })),
      readTimeoutMs: config.read_timeout,
      readHeaderTimeoutMs: config.read_header_timeout,
      writeTimeoutMs: config.write_timeout,
      idleTimeoutMs: config.idle_timeout,
      keepAlives: config.keep_alives_enabled,
      responseHeaders: config.response_headers,
      complain: complaints(ctx, 'http'),
      ...(cors && { cors }),
    },
    handler,
  )
}

/** As in the Collector: a list without the empty name refuses bodies that are not compressed, but an empty list refuses none of those. */
function encodingsOf({ compression_algorithms: listed }: HttpConfig): ReadonlySet<Encoding | ''> {
  return new Set(listed.length === 0 ? [''] : listed)
}

function addressOf(config: GrpcConfig | HttpConfig): ListenAddress {
  const address = parseListenAddress(config.endpoint, config.transport)
  if (typeof address === 'string') throw new Error(`endpoint: ${address}`)
  return address
}

async function tlsOf(config: GrpcConfig | HttpConfig, environment: TlsEnvironment): Promise<{ tls?: ServerTls }> {
  if (config.tls === undefined) return {}
  const { ServerTls } = await import('../../src/transport/tls.ts')
  return { tls: new ServerTls(config.tls, environment) }
}
