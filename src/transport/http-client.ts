import { arenas } from '../otlp/arena.ts'
import { SIGNALS, type Signal } from '../otlp/batch.ts'
import type { BodyWrites } from './body-writes.ts'
import { compressedForm } from './compressed-form.ts'
import { compress, type Encoding, joined, pooled } from './compression.ts'
import { connectionFailureText } from './connection-error.ts'
import { CookieJar } from './cookie-jar.ts'
import { type HttpAnswer, MAX_RESPONSE_BYTES, readAnswer } from './http-answer.ts'
import { exchange, Patience } from './http-exchange.ts'
import { HttpOrigins, type OriginOptions } from './http-origins.ts'
import { Lease } from './lease.ts'
import { type Sign, signed } from './sign.ts'
import { type CallOptions, type CallResult, type Client, GRPC } from './unary.ts'
import { basicCredentials } from './url-credentials.ts'

export interface HttpClientOptions extends OriginOptions {
  /** Where each signal goes: absolute URLs. Calls of a signal without one fail. */
  readonly urls: Readonly<Partial<Record<Signal, string>>>
  /** Sent with every request; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** Asked with every request what becomes of `headers`; a rejection fails the call, which may be tried again. */
  readonly sign?: Sign
  /** Makes the body of the chunks, where it is not the chunks themselves. */
  readonly encode?: (signal: Signal, chunks: readonly Uint8Array[]) => Uint8Array
  readonly contentType: 'application/x-protobuf' | 'application/json'
  /** Absent: bodies leave as they are. */
  readonly compression?: Encoding
  readonly compressionLevel?: number
  /** Keeps the cookies that servers set, and sends them back. */
  readonly cookies?: boolean
  /** Milliseconds since the Unix epoch, for `Retry-After` dates and cookies. */
  readonly now: () => number
}

/** As Go's client. */
const MOST_REDIRECTS = 10

/** A client of OTLP/HTTP over undici's pools, which cost a tenth of global `fetch`. */
export function httpClient(options: HttpClientOptions): Client {
  return new HttpClient(options)
}

type Headers = Readonly<Record<string, string>>

interface Body {
  readonly bytes: Uint8Array
  /** Held by whoever reads bytes that are used again; undefined for bytes that are not. */
  readonly lease: Lease | undefined
}

/** What undici may have. Without `writes` nobody knows when it has let go of it. */
function lent({ bytes, lease }: Body, writes?: BodyWrites): Uint8Array {
  if (lease === undefined) return bytes
  if (writes === undefined) return Buffer.copyBytesFrom(bytes)
  // An object of its own for each attempt, so that each has its own writes.
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  writes.expect(view, lease)
  return view
}
type Failed = Extract<CallResult, { readonly ok: false }>

class HttpClient implements Client {
  readonly #options: HttpClientOptions
  readonly #headers: Headers
  readonly #urls: Partial<Record<Signal, URL>> = {}
  readonly #origins: HttpOrigins
  readonly #cookies: CookieJar | undefined

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#origins = new HttpOrigins(options)
    this.#cookies = options.cookies === true ? new CookieJar(options.now) : undefined
    this.#headers = {
      'user-agent': options.userAgent,
      'content-type': options.contentType,
      ...options.headers,
      // `zlib` under that name, as the Collector sends it: its receivers may be told to take nothing else.
      ...(options.compression !== undefined && { 'content-encoding': options.compression }),
    }
    for (const signal of SIGNALS) {
      const url = options.urls[signal]
      if (url !== undefined) this.#urls[signal] = new URL(url)
    }
  }

  async call(signal: Signal, chunks: readonly Uint8Array[], options: CallOptions): Promise<CallResult> {
    const url = this.#urls[signal]
    if (url === undefined) {
      options.release?.()
      return failed(GRPC.UNIMPLEMENTED, `no URL for ${signal}`)
    }
    let body: Body
    try {
      body = await this.#body(signal, chunks, options.release)
    } catch (error) {
      return failed(GRPC.INTERNAL, `the request cannot be made: ${(error as Error).message}`)
    }
    try {
      return await this.#exchange(url, body, options)
    } finally {
      body.lease?.drop()
    }
  }

  async #exchange(url: URL, body: Body, options: CallOptions): Promise<CallResult> {
    let headers = this.#headers
    if (this.#options.sign !== undefined) {
      const more = await signed(this.#options.sign, headers, options.context)
      if (!('headers' in more)) return more
      headers = more.headers
    }
    if (options.context?.trace !== undefined) headers = { ...headers, ...options.context.trace.headers }
    const patience = new Patience(options.timeoutMs)
    try {
      return await this.#send(url, headers, body, patience)
    } catch (error) {
      if (patience.expired) {
        return failed(GRPC.DEADLINE_EXCEEDED, `no answer within ${(options.timeoutMs / 1000).toFixed(1)} s`)
      }
      return connectionFailure(error)
    } finally {
      patience.end()
    }
  }

  /** What is sent, and who is told when nobody needs it any more. `release` is called for the chunks, also where this rejects. */
  async #body(signal: Signal, chunks: readonly Uint8Array[], release: (() => void) | undefined): Promise<Body> {
    const { compression, compressionLevel, encode } = this.#options
    if (encode === undefined && compression === undefined && chunks.length === 1) {
      return { bytes: chunks[0]!, lease: release && new Lease(release) }
    }
    try {
      const asItCame =
        encode === undefined && compression !== undefined && compressionLevel === undefined && chunks.length === 1
          ? compressedForm(chunks[0]!, compression)
          : undefined
      if (asItCame !== undefined) {
        arenas.retain(asItCame)
        return { bytes: asItCame, lease: new Lease(() => arenas.release(asItCame)) }
      }
      const plain = encode === undefined ? chunks : [encode(signal, chunks)]
      if (compression !== undefined) {
        return { bytes: await compress(compression, plain, compressionLevel), lease: undefined }
      }
      if (plain !== chunks) return { bytes: joined(plain), lease: undefined }
      const bytes = pooled(chunks)
      return { bytes, lease: new Lease(() => arenas.release(bytes)) }
    } finally {
      release?.()
    }
  }

  /** The answer of the first server that does not redirect. Rejects where there is no answer. */
  async #send(first: URL, sent: Headers, body: Body, patience: Patience): Promise<CallResult> {
    let url = first
    let headers = sent
    for (let redirects = 0; ; redirects++) {
      const response = await this.#request(url, headers, body, patience)
      this.#cookies?.take(url, response.headers['set-cookie'])
      const next = redirects < MOST_REDIRECTS ? redirection(response, url) : undefined
      if (next === undefined) return readAnswer(response, this.#options.now())
      if (next.host !== url.host && !next.hostname.endsWith(`.${url.hostname}`)) headers = withoutCredentials(headers)
      url = next
    }
  }

  async #request(url: URL, sent: Headers, body: Body, patience: Patience): Promise<HttpAnswer> {
    const origin = this.#origins.of(url)
    const path = url.pathname + url.search
    const cookie = this.#cookies?.header(url)
    let headers = cookie === undefined ? sent : { ...sent, cookie: joinedCookies(sent['cookie'], cookie) }
    // As Go's client.
    const authorization = sent['authorization'] === undefined ? basicCredentials(url) : undefined
    if (authorization !== undefined) headers = { ...headers, authorization }
    if (origin.http2 !== undefined) {
      const answer = await origin.http2.post(path, headers, lent(body), patience.signal, MAX_RESPONSE_BYTES)
      if (answer !== undefined) return answer
      origin.http2 = undefined
    }
    const reset = this.#origins.begin(origin)
    const { lease } = body
    lease?.hold()
    const over = (): void => {
      lease?.drop()
      this.#origins.end(origin)
    }
    const request = {
      origin: url.origin,
      path,
      method: 'POST',
      headers,
      body: lent(body, origin.writes),
      reset,
      // The caller's timer is the limit, in finer steps than undici's.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    return exchange(origin.dispatcher, request, { limit: MAX_RESPONSE_BYTES, patience, over })
  }

  close(): Promise<void> {
    return this.#origins.close()
  }
}

/**
 * Where a request goes with the same method and body: 307 and 308 say so. Go's client turns 301, 302 and 303 into a GET, whose
 * 200 would pass for success while the data is lost: those are failures here.
 */
function redirection({ statusCode, headers }: HttpAnswer, from: URL): URL | undefined {
  const { location } = headers
  if ((statusCode !== 307 && statusCode !== 308) || typeof location !== 'string') return undefined
  if (!URL.canParse(location, from.href)) return undefined
  const to = new URL(location, from.href)
  return /^https?:$/.test(to.protocol) ? to : undefined
}

function withoutCredentials(headers: Headers): Headers {
  const { authorization: _authorization, cookie: _cookie, 'www-authenticate': _asked, ...rest } = headers
  return rest
}

function joinedCookies(own: string | undefined, kept: string): string {
  return own === undefined ? kept : `${own}; ${kept}`
}

function failed(code: number, message: string): Failed {
  return { ok: false, status: { code, message } }
}

function connectionFailure(error: unknown): CallResult {
  const failure = error as NodeJS.ErrnoException
  const code = failure.code ?? 'ECONNRESET'
  if (code === 'ERR_INVALID_CHAR' || code === 'UND_ERR_INVALID_ARG') {
    return failed(GRPC.INTERNAL, `the request cannot be sent: ${failure.message}`)
  }
  return { ok: false, status: { code: GRPC.UNAVAILABLE, message: connectionFailureText(failure) }, connection: code }
}
