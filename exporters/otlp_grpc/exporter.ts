import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Consumer } from '../../src/component/delivery.ts'
import { requestSigner } from '../../src/component/request-signer.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import { observedClient } from '../../src/telemetry/call-metrics.ts'
import { type GrpcTarget, parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { grpcClient } from '../../src/transport/grpc-client.ts'
import { ProxyEnvironment } from '../../src/transport/proxy-environment.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import { wantsTls } from '../../src/transport/tls-settings.ts'
import type { Client } from '../../src/transport/unary.ts'
import { USER_AGENT } from '../../src/transport/user-agent.ts'
import type { Config } from './fields.ts'
import { sendResult } from './send-result.ts'

export function createExporter(config: Config, ctx: ComponentContext): Component & Consumer {
  let client: Client | undefined
  const kit = queuedExporter({
    ctx,
    queue: config.sending_queue,
    retry: config.retry_on_failure,
    timeoutMs: config.timeout,
    maxRequestBytes: config.max_request_size,
    async send(batch, options) {
      if (client === undefined) throw new Error('not started')
      return sendResult(
        await client.call(batch.signal, batch.chunks, { ...options, context: batch.context }),
        config.endpoint,
      )
    },
  })
  return {
    acknowledges: kit.acknowledges,
    refusing: kit.refusing,
    consume: (delivery) => kit.consume(delivery),
    async start() {
      client = observedClient(await connect(config, ctx), ctx.meter, 'grpc', config.endpoint)
      await kit.start?.()
    },
    stopping: () => kit.stopping(),
    async stop(deadline) {
      await kit.stop(deadline)
      const open = client
      client = undefined
      await open?.close()
    },
  }
}

// grpc-go's: more often is taken for an attack by servers.
const LEAST_KEEPALIVE_MS = 10_000

/** Makes the client; it connects with its first call. */
async function connect(config: Config, ctx: ComponentContext): Promise<Client> {
  const target = parseGrpcTarget(config.endpoint)
  if (typeof target === 'string') throw new Error(`endpoint: ${target}`)
  const secure = target.secure || wantsTls(config.tls)
  const { compression, keepalive } = config
  const userAgent = config.user_agent ?? USER_AGENT
  const proxy = proxyOf(target)
  const sign = requestSigner(config, ctx, !secure)
  // As grpc-go: the name that the certificate is to have is that of the server, where no other is given.
  const authority = config.authority || (secure && config.tls.server_name_override) || undefined
  return grpcClient({
    target,
    balancer: config.balancer_name === 'round_robin' ? 'round_robin' : 'pick_first',
    clock: ctx.clock,
    ...(secure && { tls: new ClientTls(config.tls, { configuredBy: 'tls', clock: ctx.clock, log: ctx.log }) }),
    ...(proxy !== undefined && { proxy: { url: proxy, userAgent } }),
    ...(keepalive !== undefined && {
      keepalive: {
        everyMs: Math.max(keepalive.time, LEAST_KEEPALIVE_MS),
        timeoutMs: keepalive.timeout,
        withoutCalls: keepalive.permit_without_stream,
      },
    }),
    ...(compression !== 'none' && compression !== '' && { compression }),
    ...(authority !== undefined && { authority }),
    headers: Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value])),
    ...(sign !== undefined && { sign }),
    userAgent,
    waitForReady: config.wait_for_ready,
  })
}

/** As grpc-go: `HTTPS_PROXY` and `NO_PROXY` alone say it, whether or not there is TLS, and for names and TCP addresses only. */
function proxyOf({ name, addresses }: GrpcTarget): URL | undefined {
  const place = name ?? addresses[0]
  if (place === undefined || 'path' in place) return undefined
  return new ProxyEnvironment(process.env).proxyFor('https', place.host, place.port)
}
