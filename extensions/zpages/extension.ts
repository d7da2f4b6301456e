import type { Component, Deadline } from '../../src/component/contracts.ts'
import type { HostContext } from '../../src/component/host.ts'
import { ConfiguredPages, type PageServerConfig } from '../../src/component/page-extension.ts'
import { type Page, type PageRequest, text } from '../../src/transport/page-server.ts'
import { pipelinePage } from './pipeline-page.ts'
import { RateBook } from './rates.ts'
import { expvarPage, extensionPage, featurePage, servicePage } from './service-page.ts'
import { tracePage } from './trace-page.ts'

export interface ZpagesConfig extends PageServerConfig {
  readonly expvar: { readonly enabled: boolean }
}

/** Serves pages about the engine at the Collector's paths. */
export class Zpages implements Component {
  readonly #config: ZpagesConfig
  readonly #ctx: HostContext
  readonly #rates: RateBook
  readonly #pages: ConfiguredPages

  constructor(config: ZpagesConfig, ctx: HostContext) {
    this.#config = config
    this.#ctx = ctx
    this.#rates = new RateBook(ctx.clock, () => ctx.host.readings())
    this.#pages = new ConfiguredPages(config, ctx, (request) => this.#answer(request))
  }

  async start(): Promise<void> {
    await this.#pages.start()
    this.#rates.start()
  }

  async stop(deadline: Deadline): Promise<void> {
    this.#rates.stop()
    await this.#pages.stop(deadline)
  }

  #answer({ path, query }: PageRequest): Page {
    const { host, clock } = this.#ctx
    switch (path) {
      case '/':
      case '/debug':
      case '/debug/':
        return { status: 302, type: 'text/plain', body: '', headers: { location: '/debug/servicez' } }
      case '/debug/servicez':
        return servicePage(host, clock.now())
      case '/debug/pipelinez':
        return pipelinePage(host, this.#rates, query)
      case '/debug/extensionz':
        return extensionPage(host)
      case '/debug/featurez':
        return featurePage(host)
      case '/debug/tracez':
        return tracePage(host, query)
      case '/debug/expvarz':
        return this.#config.expvar.enabled ? expvarPage() : text(404, 'expvar.enabled is false\n')
      default:
        return text(404, `there is no ${path}; begin at /debug/servicez\n`)
    }
  }
}
