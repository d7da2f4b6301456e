import type { IncomingMessage, ServerResponse } from 'node:http'

/** What pages of other origins may do, as the Collector's `cors` section says it. */
export interface CorsOptions {
  /** `https://app.example`; one `*` stands for any text, alone for any origin. */
  readonly allowedOrigins: readonly string[]
  /** Headers that a page may set; `*` for any. */
  readonly allowedHeaders: readonly string[]
  /** Headers of answers that a page may read. */
  readonly exposedHeaders: readonly string[]
  /** Seconds for which a browser may remember a preflight's answer; 0 leaves it to the browser, less forbids it. */
  readonly maxAgeS: number
}

const DEFAULT_HEADERS = ['accept', 'content-type', 'x-requested-with']
// OTLP needs POST alone; the others are what every page may use without asking (Fetch, "CORS-safelisted method").
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD'])
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

/**
 * Tells browsers whether a page of another origin may send (Fetch standard, "CORS protocol"). A page that may not is told
 * nothing, and its browser keeps the answer from it; what it sent is taken all the same, since CORS protects pages' users
 * and not servers.
 */
export class Cors {
  readonly #anyOrigin: boolean
  readonly #origins: ReadonlySet<string>
  /** What stands before and after the `*`. */
  readonly #patterns: readonly (readonly [before: string, after: string])[]
  /** Undefined: any. */
  readonly #headers: ReadonlySet<string> | undefined
  readonly #exposed: string
  readonly #maxAge: string

  constructor({ allowedOrigins, allowedHeaders, exposedHeaders, maxAgeS }: CorsOptions) {
    const origins = allowedOrigins.map((origin) => origin.toLowerCase())
    this.#anyOrigin = origins.includes('*')
    this.#origins = new Set(origins.filter((origin) => !origin.includes('*')))
    this.#patterns = origins
      .filter((origin) => origin.includes('*'))
      .map((origin) => [origin.slice(0, origin.indexOf('*')), origin.slice(origin.indexOf('*') + 1)] as const)
    const headers = allowedHeaders.length === 0 ? DEFAULT_HEADERS : allowedHeaders.map((name) => name.toLowerCase())
    this.#headers = headers.includes('*') ? undefined : new Set(headers)
    this.#exposed = exposedHeaders.join(', ')
    this.#maxAge = maxAgeS === 0 ? '' : String(Math.max(0, maxAgeS))
  }

  /** Sets what belongs on the answer to `request`; a preflight is answered, and true. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin, 'access-control-request-method': asked } = request.headers
    if (request.method !== 'OPTIONS' || asked === undefined) {
      response.appendHeader('vary', 'Origin')
      if (origin !== undefined && METHODS.has(request.method ?? '') && this.#allows(origin)) {
        this.#allow(response, origin)
        if (this.#exposed !== '') response.setHeader('access-control-expose-headers', this.#exposed)
      }
      return false
    }
    response.appendHeader('vary', PREFLIGHT_VARY)
    const headers = request.headers['access-control-request-headers']
    if (origin !== undefined && METHODS.has(asked) && this.#allows(origin) && this.#allowsHeaders(headers)) {
      this.#allow(response, origin)
      response.setHeader('access-control-allow-methods', asked)
      if (headers) response.setHeader('access-control-allow-headers', headers)
      if (this.#maxAge !== '') response.setHeader('access-control-max-age', this.#maxAge)
    }
    response.statusCode = 204
    response.end()
    return true
  }

  #allow(response: ServerResponse, origin: string): void {
    response.setHeader('access-control-allow-origin', this.#anyOrigin ? '*' : origin)
    response.setHeader('access-control-allow-credentials', 'true')
  }

  #allows(origin: string): boolean {
    if (this.#anyOrigin) return true
    const name = origin.toLowerCase()
    return (
      this.#origins.has(name) ||
      this.#patterns.some(
        ([before, after]) =>
          name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after),
      )
    )
  }

  #allowsHeaders(list: string | undefined): boolean {
    const headers = this.#headers
    if (list === undefined || headers === undefined) return true
    return list.split(',').every((name) => name.trim() === '' || headers.has(name.trim().toLowerCase()))
  }
}
