import { authoriserOf } from '../../src/component/authorise.ts'
import type { Component, Deadline } from '../../src/component/contracts.ts'
import type { HostContext } from '../../src/component/host.ts'
import { ConfiguredPages } from '../../src/component/page-extension.ts'
import { formatDuration } from '../../src/config/duration.ts'
import { serverKeepalive } from '../../src/config/grpc-server-fields.ts'
import { parseListenAddress } from '../../src/transport/listen-address.ts'
import { type Page, type PageRequest, text } from '../../src/transport/page-server.ts'
import { ServerTls } from '../../src/transport/tls.ts'
import type { Config } from './fields.ts'
import { GrpcHealth, SERVING } from './grpc-health.ts'
import { type ComponentHealthSettings, type Status, serviceStatus, statusCode, statusJson } from './status.ts'

/** What Go writes for a time that was never set; probes that parse the document expect one. */
const NEVER = '0001-01-01T00:00:00Z'
/** Without `component_health` no error of a component makes the whole unhealthy. */
const LENIENT: ComponentHealthSettings = {
  include_permanent_errors: false,
  include_recoverable_errors: false,
  recovery_duration: 0,
}

/**
 * Listens from the start and says 503 until everything has started, 200 from then on, and 503 again as soon as the stop
 * begins, so that load balancers turn away while receivers still take what is on its way.
 */
export class HealthCheck implements Component {
  readonly #config: Config
  readonly #ctx: HostContext
  readonly #pages: ConfiguredPages | undefined
  #grpc: GrpcHealth | undefined
  #unlisten: (() => void) | undefined
  #upSince: number | undefined

  constructor(config: Config, ctx: HostContext) {
    this.#config = config
    this.#ctx = ctx
    const pages = config.use_v2 ? config.http : config
    this.#pages =
      pages &&
      new ConfiguredPages(pages, ctx, (request) => this.#answer(request), {
        below: config.use_v2 ? 'http.' : '',
        anyMethod: true,
      })
  }

  async start(): Promise<void> {
    const { use_v2, grpc } = this.#config
    await this.#pages?.start()
    if (!use_v2 || grpc === undefined) return
    const address = parseListenAddress(grpc.endpoint, grpc.transport)
    if (typeof address === 'string') throw new Error(`grpc.endpoint: ${address}`)
    const authorise = authoriserOf(grpc, this.#ctx, 'grpc.')
    const server = new GrpcHealth({
      address,
      configuredBy: 'grpc.endpoint',
      ...(grpc.tls && {
        tls: new ServerTls(grpc.tls, { configuredBy: 'grpc.tls', clock: this.#ctx.clock, log: this.#ctx.log }),
      }),
      ...(grpc.max_concurrent_streams > 0 && { maxConcurrentStreams: grpc.max_concurrent_streams }),
      keepalive: serverKeepalive(grpc.keepalive),
      ...(authorise && { authorise }),
      status: (service) => this.#serving(service),
      list: () => this.#servingAll(),
    })
    this.#grpc = server
    this.#ctx.listening({ transport: 'grpc', address: await server.start() })
    this.#unlisten = this.#ctx.host.onHealth(() => server.changed())
  }

  ready(): void {
    this.#upSince = this.#ctx.clock.now()
  }

  stopping(): void {
    this.#upSince = undefined
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#upSince = undefined
    this.#unlisten?.()
    this.#unlisten = undefined
    await Promise.all([this.#pages?.stop(deadline), this.#grpc?.stop()])
  }

  #status(): Status {
    const { host, clock } = this.#ctx
    const settings = this.#config.component_health ?? LENIENT
    return serviceStatus(host.health(), host.config.service.pipelines, settings, clock.now())
  }

  #answer(request: PageRequest): Page {
    const { liveness_path, readiness_path } = this.#config
    if (request.path === liveness_path) return this.#live()
    if (request.path === readiness_path) return this.#ready()
    return this.#config.use_v2 ? this.#second(request) : this.#first(request)
  }

  /** Alive: it answers, and no component has failed so that only a restart helps. */
  #live(): Page {
    const fatal = this.#ctx.host.health().filter(({ health }) => health === 'fatal')
    if (fatal.length === 0) return text(200, 'alive\n')
    return text(500, fatal.map(({ kind, id, message = '' }) => `${kind} ${id}: ${message}\n`).join(''))
  }

  /** Ready: everything has started, nothing stops, and no component has failed for good. */
  #ready(): Page {
    const { host } = this.#ctx
    if (this.#upSince === undefined) return text(503, 'not ready: it starts or stops\n')
    const failed = host.health().filter(({ health }) => health === 'fatal' || health === 'permanent')
    if (failed.length === 0) return text(200, 'ready\n')
    return text(503, failed.map(({ kind, id, message = '' }) => `not ready: ${kind} ${id}: ${message}\n`).join(''))
  }

  #first({ path: asked }: PageRequest): Page {
    const { path, response_body: texts } = this.#config
    if (path !== '/' && asked !== path) return text(404, '404 page not found\n')
    const upSince = this.#upSince
    const status = upSince === undefined ? 503 : 200
    if (texts !== undefined) return text(status, upSince === undefined ? texts.unhealthy : texts.healthy)
    return json(
      status,
      upSince === undefined
        ? { status: 'Server not available', upSince: NEVER, uptime: '' }
        : {
            status: 'Server available',
            upSince: new Date(upSince).toISOString(),
            uptime: formatDuration(Math.max(0, this.#ctx.clock.now() - upSince)),
          },
    )
  }

  #second({ path, query }: PageRequest): Page {
    const { status, config } = this.#config.http!
    if (config.enabled && path === config.path) return this.#configuration()
    if (!status.enabled || path !== status.path) return text(404, '404 page not found\n')
    const whole = this.#status()
    const verbose = query.has('verbose') && query.get('verbose') !== 'false'
    const pipeline = query.get('pipeline')
    const { startedAt } = this.#ctx.host
    if (pipeline === null || pipeline === '') return json(statusCode(whole), statusJson(whole, verbose, startedAt))
    const part = whole.components[pipeline === 'extensions' ? pipeline : `pipeline:${pipeline}`]
    if (part === undefined) return text(404, `there is no pipeline ${JSON.stringify(pipeline)}\n`)
    return json(statusCode(part), statusJson(part, verbose, startedAt))
  }

  /** The configuration that runs, without what nobody may see. */
  #configuration(): Page {
    return json(200, this.#ctx.host.effectiveConfig())
  }

  #serving(service: string): number | undefined {
    const whole = this.#status()
    const status = service === '' ? whole : whole.components[service === 'extensions' ? service : `pipeline:${service}`]
    if (status === undefined) return undefined
    return statusCode(status) === 200 ? SERVING.SERVING : SERVING.NOT_SERVING
  }

  #servingAll(): Record<string, number> {
    const names = ['', ...Object.keys(this.#status().components).map((name) => name.replace(/^pipeline:/, ''))]
    return Object.fromEntries(names.map((name) => [name, this.#serving(name) ?? SERVING.UNKNOWN]))
  }
}

function json(status: number, body: unknown): Page {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}
