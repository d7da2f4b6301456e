import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Consumer } from '../../src/component/delivery.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import { parseGrpcTarget } from '../../src/transport/dial-target.ts'
import { grpcClient } from '../../src/transport/grpc-client.ts'
import { clientTls } from '../../src/transport/tls.ts'
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
    async send(batch, options) {
      if (client === undefined) throw new Error('not started')
      return sendResult(await client.call(batch.signal, batch.chunks, options), config.endpoint)
    },
  })
  return {
    acknowledges: kit.acknowledges,
    consume: (delivery) => kit.consume(delivery),
    async start() {
      client = await connect(config)
      await kit.start?.()
    },
    async stop(deadline) {
      await kit.stop(deadline)
      const open = client
      client = undefined
      await open?.close()
    },
  }
}

/** Makes the client; it connects with its first call. */
async function connect(config: Config): Promise<Client> {
  const target = parseGrpcTarget(config.endpoint)
  if (typeof target === 'string') throw new Error(`endpoint: ${target}`)
  const secure = target.secure || !config.tls.insecure
  const { compression, keepalive } = config
  return grpcClient({
    target,
    ...(secure && { tls: await clientTls(config.tls, 'tls') }),
    ...(keepalive !== undefined && {
      keepalive: {
        everyMs: keepalive.time,
        timeoutMs: keepalive.timeout,
        withoutCalls: keepalive.permit_without_stream,
      },
    }),
    ...((compression === 'gzip' || compression === 'zstd') && { compression }),
    ...(config.authority !== undefined && { authority: config.authority }),
    headers: Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value])),
    userAgent: config.user_agent ?? USER_AGENT,
    waitForReady: config.wait_for_ready,
  })
}
