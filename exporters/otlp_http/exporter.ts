import type { Component, ComponentContext } from '../../src/component/contracts.ts'
import type { Consumer } from '../../src/component/delivery.ts'
import { requestSigner } from '../../src/component/request-signer.ts'
import type { Signal } from '../../src/otlp/batch.ts'
import { queuedExporter } from '../../src/queue/exporter.ts'
import { observedClient } from '../../src/telemetry/call-metrics.ts'
import { type HttpClientOptions, httpClient } from '../../src/transport/http-client.ts'
import { ProxyEnvironment, parseProxyUrl } from '../../src/transport/proxy-environment.ts'
import { ClientTls } from '../../src/transport/tls.ts'
import type { Client } from '../../src/transport/unary.ts'
import { shownUrl } from '../../src/transport/url-credentials.ts'
import { USER_AGENT } from '../../src/transport/user-agent.ts'
import type { Config } from './fields.ts'
import { sendResult } from './send-result.ts'
import { signalUrls } from './urls.ts'

export function createExporter(config: Config, ctx: ComponentContext): Component & Consumer {
  const urls = signalUrls(config)
  let client: Client | undefined
  const kit = queuedExporter({
    ctx,
    queue: config.sending_queue,
    retry: config.retry_on_failure,
    timeoutMs: config.timeout,
    // Names and hexadecimal ids make JSON two to three times as large as the protobuf that is cut.
    maxRequestBytes: config.encoding === 'json' ? Math.ceil(config.max_request_size / 3) : config.max_request_size,
    async send(batch, options) {
      const url = urls[batch.signal]
      if (url === undefined) {
        options.release()
        return noEndpoint(batch.signal)
      }
      if (client === undefined) throw new Error('not started')
      const result = await client.call(batch.signal, batch.chunks, { ...options, context: batch.context })
      return sendResult(result, shownUrl(url))
    },
  })
  return {
    acknowledges: kit.acknowledges,
    refusing: kit.refusing,
    consume: (delivery) => kit.consume(delivery),
    async start() {
      // Signals with servers of their own are counted under the first one's.
      const server = config.endpoint ?? Object.values(urls)[0] ?? ''
      client = observedClient(await connect(config, urls, ctx), ctx.meter, 'http', server)
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

function noEndpoint(signal: Signal): ReturnType<typeof sendResult> {
  const message = `no endpoint for ${signal}; set endpoint or ${signal}_endpoint`
  return { ok: false, verdict: 'reject', reason: 'no_endpoint', message }
}

/** Makes the client; it connects with its first call. */
async function connect(config: Config, urls: Partial<Record<Signal, string>>, ctx: ComponentContext): Promise<Client> {
  const { compression, encoding } = config
  const { level } = config.compression_params
  const proxy = config.proxy_url === undefined ? undefined : parseProxyUrl(config.proxy_url)
  if (typeof proxy === 'string') throw new Error(`proxy_url: ${proxy}`)
  const sign = requestSigner(config, ctx, false)
  const json = encoding === 'json' ? await import('../../src/otlp/json.ts') : undefined
  const options: HttpClientOptions = {
    urls,
    contentType: json === undefined ? 'application/x-protobuf' : 'application/json',
    ...(json !== undefined && { encode: json.toJson }),
    ...(compression !== 'none' && compression !== '' && { compression }),
    ...(level !== 0 && { compressionLevel: level }),
    // The scheme of the URL decides whether there is TLS; `insecure` means nothing here, as with the Collector.
    tls: new ClientTls(config.tls, { configuredBy: 'tls', clock: ctx.clock, log: ctx.log }),
    headers: Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value])),
    userAgent: USER_AGENT,
    ...(sign !== undefined && { sign }),
    ...(config.max_conns_per_host > 0 && { maxConnections: config.max_conns_per_host }),
    ...(config.max_idle_conns > 0 && { maxIdle: config.max_idle_conns }),
    ...(config.max_idle_conns_per_host > 0 && { maxIdlePerOrigin: config.max_idle_conns_per_host }),
    idleTimeoutMs: config.idle_conn_timeout,
    keepAlives: !config.disable_keep_alives,
    http2: config.force_attempt_http2,
    readIdleMs: config.http2_read_idle_timeout,
    pingTimeoutMs: config.http2_ping_timeout === 0 ? 15_000 : config.http2_ping_timeout,
    cookies: config.cookies?.enabled === true,
    ...(proxy !== undefined && { proxyUrl: proxy }),
    environment: new ProxyEnvironment(process.env),
    now: () => ctx.clock.now(),
  }
  return httpClient(options)
}
