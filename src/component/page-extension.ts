import { corsOptions, corsWarnings } from '../config/cors-fields.ts'
import type { ConfigOf } from '../config/field.ts'
import type { pageServerFields } from '../config/page-server-fields.ts'
import type { Cors, CorsOptions } from '../transport/cors.ts'
import { formatRetryAfter, httpStatusOf } from '../transport/http-status.ts'
import { formatHostPort, parseListenAddress } from '../transport/listen-address.ts'
import { type Page, type PageRequest, PageServer, text } from '../transport/page-server.ts'
import type { ServerTls } from '../transport/tls.ts'
import type { CallStatus, RequestHead } from '../transport/unary.ts'
import { type Authorise, authoriserOf } from './authorise.ts'
import type { ComponentContext, Deadline } from './contracts.ts'

export type PageServerConfig = ConfigOf<ReturnType<typeof pageServerFields>>

/** A `PageServer` as an extension's configuration wants it: certificates read, clients asked who they are. */
export class ConfiguredPages {
  readonly #config: PageServerConfig
  readonly #ctx: ComponentContext
  readonly #answer: (request: PageRequest) => Page | Promise<Page>
  readonly #options: { readonly below: string; readonly anyMethod: boolean }
  #server: PageServer | undefined
  #authorise: Authorise | undefined

  /** `below` stands before the keys in errors (`http.`). */
  constructor(
    config: PageServerConfig,
    ctx: ComponentContext,
    answer: (request: PageRequest) => Page | Promise<Page>,
    { below = '', anyMethod = false }: { readonly below?: string; readonly anyMethod?: boolean } = {},
  ) {
    this.#config = config
    this.#ctx = ctx
    this.#answer = answer
    this.#options = { below, anyMethod }
  }

  /** Listens, and says where. */
  async start(): Promise<void> {
    const { endpoint, transport, tls } = this.#config
    const { below, anyMethod } = this.#options
    const address = parseListenAddress(endpoint, transport)
    if (typeof address === 'string') throw new Error(`${below}endpoint: ${address}`)
    this.#authorise = authoriserOf(this.#config, this.#ctx, below)
    for (const warning of corsWarnings(this.#config.cors, `${below}cors`)) this.#ctx.log.warn(warning)
    const cors = corsOptions(this.#config.cors)
    this.#server = new PageServer(
      {
        address,
        configuredBy: `${below}endpoint`,
        ...(tls && { tls: await this.#tls(tls) }),
        headers: this.#config.response_headers,
        readTimeoutMs: this.#config.read_timeout,
        readHeaderTimeoutMs: this.#config.read_header_timeout,
        writeTimeoutMs: this.#config.write_timeout,
        idleTimeoutMs: this.#config.idle_timeout,
        keepAlive: this.#config.keep_alives_enabled,
        anyMethod,
        ...(cors && { cors: await corsOf(cors) }),
      },
      (request) => this.#ask(request),
    )
    this.#ctx.listening({ transport: tls ? 'https' : 'http', address: await this.#server.start() })
  }

  /** Loaded where it is used: definitions import this file, in every start. */
  async #tls(settings: NonNullable<PageServerConfig['tls']>): Promise<ServerTls> {
    const { ServerTls } = await import('../transport/tls.ts')
    const { clock, log } = this.#ctx
    return new ServerTls(settings, { configuredBy: `${this.#options.below}tls`, clock, log })
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#server?.stop(deadline.signal)
  }

  async #ask(request: PageRequest): Promise<Page> {
    const refusal = await this.#authorise?.(headOf(request))
    return refusal === undefined ? this.#answer(request) : refused(refusal)
  }
}

async function corsOf(options: CorsOptions): Promise<Cors> {
  const { Cors } = await import('../transport/cors.ts')
  return new Cors(options)
}

function refused({ code, message, retryAfterMs }: CallStatus): Page {
  const status = httpStatusOf(code)
  return text(status, `${message}\n`, {
    ...(status === 401 && { 'www-authenticate': 'Basic' }),
    ...(retryAfterMs !== undefined && { 'retry-after': formatRetryAfter(retryAfterMs) }),
  })
}

function headOf({ headers, query, peer }: PageRequest): RequestHead {
  const { remoteAddress, remotePort } = peer
  const values = (name: string): readonly string[] => {
    const value = headers[name]
    return value === undefined ? [] : Array.isArray(value) ? value : [value]
  }
  return {
    protocol: 'http',
    peer: remoteAddress === undefined ? 'unix' : formatHostPort(remoteAddress, remotePort ?? 0),
    auth: undefined,
    header: (name) => (headers[name] === undefined ? undefined : values(name).join(', ')),
    query: (name) => query.get(name) ?? undefined,
    metadata: () => Object.fromEntries(Object.keys(headers).map((name) => [name, values(name)])),
  }
}
