import { buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici'
import { BodyWrites } from './body-writes.ts'
import { connectionError } from './connection-error.ts'
import { Http2Origin } from './http2-origin.ts'
import type { ProxyEnvironment } from './proxy-environment.ts'
import type { ClientTls, ClientTlsOptions } from './tls.ts'

export interface OriginOptions {
  readonly tls?: ClientTls
  /** Every request goes through this proxy; `environment` is asked where there is none. */
  readonly proxyUrl?: URL
  readonly environment?: ProxyEnvironment
  /** Most connections to one server; without a limit one is made whenever all are busy. */
  readonly maxConnections?: number
  /** Most connections that stay open without a request, to one server and to all; without a limit all do. */
  readonly maxIdlePerOrigin?: number
  readonly maxIdle?: number
  /** An idle connection is closed after this long, in milliseconds. */
  readonly idleTimeoutMs?: number
  /** Off: one request a connection. */
  readonly keepAlives?: boolean
  /** Off: HTTP/1.1 to servers that offer HTTP/2 too. */
  readonly http2?: boolean
  /** See `Http2Options`. */
  readonly readIdleMs?: number
  readonly pingTimeoutMs?: number
  /** See `ConnectionOptions`. */
  readonly sessionMemoryMb?: number
  readonly userAgent: string
}

const CONNECT_TIMEOUT_MS = 20_000
/** Redirects could lead to ever more of them: the one that was asked longest ago goes. */
const MOST_ORIGINS = 16

/** A server that requests go to, and how many are under way. */
export interface Origin {
  dispatcher: Dispatcher
  /** What its connections are made with; another object when certificates have changed. */
  tls: ClientTlsOptions | undefined
  running: number
  /** Knows which bodies its sockets hold; undefined where nobody does. */
  readonly writes: BodyWrites | undefined
  /** Asked first; undefined where HTTP/2 is not wanted, or was not offered. */
  http2: Http2Origin | undefined
}

/** The pools of connections of one client, one an origin, direct or through a proxy. */
export class HttpOrigins {
  readonly #options: OriginOptions
  /** The one that was asked last is last. */
  readonly #origins = new Map<string, Origin>()
  /** Pools that certificates of before belong to, until their last requests have ended. */
  readonly #leaving = new Set<Dispatcher>()
  #running = 0

  constructor(options: OriginOptions) {
    this.#options = options
  }

  /** Throws where there are too many and all are busy. */
  of(url: URL): Origin {
    const origin = this.#origins.get(url.origin)
    const tls = url.protocol === 'https:' ? this.#options.tls?.current() : undefined
    if (origin === undefined) {
      if (this.#origins.size >= MOST_ORIGINS && !this.#forgetOne()) {
        throw connectionError('EREDIRECT', 'redirected to too many servers at a time')
      }
      const writes = this.#proxyTo(url) === undefined ? new BodyWrites() : undefined
      const dispatcher = this.#dispatcher(url, tls, writes)
      const made: Origin = { dispatcher, tls, running: 0, writes, http2: this.#http2(url) }
      this.#origins.set(url.origin, made)
      return made
    }
    if (this.#origins.size > 1) {
      this.#origins.delete(url.origin)
      this.#origins.set(url.origin, origin)
    }
    if (origin.tls !== tls) {
      this.#leave(origin.dispatcher)
      origin.dispatcher = this.#dispatcher(url, tls, origin.writes)
      origin.tls = tls
    }
    return origin
  }

  #forgetOne(): boolean {
    for (const [key, { dispatcher, http2, running }] of this.#origins) {
      if (running > 0 || http2?.busy === true) continue
      this.#origins.delete(key)
      this.#leave(dispatcher)
      void http2?.close()
      return true
    }
    return false
  }

  /** A request begins; whether its connection is to be closed behind it. */
  begin(origin: Origin): boolean {
    const { keepAlives = true, maxIdle = Infinity, maxIdlePerOrigin = Infinity } = this.#options
    // The connections that are not to stay when all requests have ended are those of the last ones that began.
    origin.running++
    this.#running++
    return !keepAlives || origin.running > maxIdlePerOrigin || this.#running > maxIdle
  }

  end(origin: Origin): void {
    origin.running--
    this.#running--
  }

  async close(): Promise<void> {
    const all = [...[...this.#origins.values()].map(({ dispatcher }) => dispatcher), ...this.#leaving]
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()))
    for (const { http2 } of this.#origins.values()) await http2?.close()
  }

  #http2(url: URL): Http2Origin | undefined {
    const {
      http2 = true,
      keepAlives = true,
      tls,
      idleTimeoutMs,
      readIdleMs = 0,
      pingTimeoutMs = 15_000,
      sessionMemoryMb,
    } = this.#options
    const proxy = this.#proxyTo(url)
    if (!http2 || !keepAlives || tls === undefined || url.protocol !== 'https:') return undefined
    if (proxy?.protocol.startsWith('socks') === true) return undefined
    return new Http2Origin(url, {
      tls,
      readIdleMs,
      pingTimeoutMs,
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      ...(sessionMemoryMb !== undefined && { sessionMemoryMb }),
      ...(proxy !== undefined && { proxy: { url: proxy, userAgent: this.#options.userAgent } }),
    })
  }

  #leave(dispatcher: Dispatcher): void {
    this.#leaving.add(dispatcher)
    void dispatcher.close().finally(() => this.#leaving.delete(dispatcher))
  }

  #dispatcher(url: URL, secure: ClientTlsOptions | undefined, writes: BodyWrites | undefined): Dispatcher {
    const { idleTimeoutMs, maxConnections } = this.#options
    const proxy = this.#proxyTo(url)
    const shared = {
      connections: maxConnections ?? null,
      allowH2: false,
      ...(idleTimeoutMs !== undefined && {
        keepAliveTimeout: idleTimeoutMs,
        // What a server announces may shorten it, not lengthen it.
        keepAliveMaxTimeout: idleTimeoutMs,
      }),
    }
    const connect = { ...secure, timeout: CONNECT_TIMEOUT_MS }
    if (writes !== undefined) {
      const connector = buildConnector({ ...connect, allowH2: false })
      return new Pool(url.origin, { ...shared, connect: writes.watching(connector) })
    }
    if (proxy === undefined) return new Pool(url.origin, { ...shared, connect })
    return new ProxyAgent({
      ...shared,
      uri: proxy.href.replace(/^socks5h:/, 'socks5:'),
      requestTls: { ...connect, allowH2: false },
      // The proxy is another server: the certificates for the destination mean nothing to it.
      proxyTls: { timeout: CONNECT_TIMEOUT_MS, allowH2: false },
    })
  }

  #proxyTo(url: URL): URL | undefined {
    const { proxyUrl, environment } = this.#options
    if (proxyUrl !== undefined) return proxyUrl
    const scheme = url.protocol === 'https:' ? 'https' : 'http'
    const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port)
    return environment?.proxyFor(scheme, url.hostname.replace(/^\[(.*)\]$/, '$1'), port)
  }
}
