import type { Logger } from 'pino'
import { systemClock } from '../clock.ts'
import type { Component, Deadline } from '../component/contracts.ts'
import type { Definition, ExtensionDefinition } from '../component/define.ts'
import type { Host, HostContext } from '../component/host.ts'
import { MemoryStorage } from '../component/memory-storage.ts'
import { NO_NAMESAKES } from '../component/namesakes.ts'
import type { Registry } from '../config/registry.ts'
import { SluiceError } from '../errors.ts'
import type { Listening } from '../lanes/protocol.ts'
import type { SharedBoard } from '../memory/shared-board.ts'
import type { ProcessMemory } from '../memory/thread-memory.ts'
import { aboutComponent } from '../telemetry/log.ts'
import type { Meter } from '../telemetry/meter.ts'
import { NO_TRACER } from '../telemetry/tracer.ts'
import type { Admission } from '../transport/admission.ts'
import type { HealthBook } from './health-book.ts'

/** What extensions that run beside the lanes are built from. */
export interface HostedOptions {
  readonly host: Host
  readonly definitions: Registry<Definition>
  readonly log: Logger
  readonly meter: Meter
  readonly health: HealthBook
  readonly admission: Admission
  readonly memory: ProcessMemory
  readonly board: SharedBoard
}

interface Hosted {
  readonly name: string
  readonly component: Component
}

/** The extensions of the service that run on the main thread, one instance in the process. */
export class HostedExtensions {
  readonly #options: HostedOptions
  readonly #hosted: Hosted[] = []
  readonly #listening: Listening[] = []

  constructor(options: HostedOptions) {
    this.#options = options
  }

  /** Builds and starts them in the order of the service; rejects with the first reason why not. */
  async start(): Promise<readonly Listening[]> {
    const { host, definitions } = this.#options
    for (const id of host.config.service.extensions) {
      const found = host.config.extensions[id]
      const definition = found && definitions.find('extension', found.type)
      if (definition?.kind !== 'extension' || definition.place !== 'host') continue
      for (const named of namedExtensions(found!.config)) await this.#startOwn(named)
      await this.#start(id, definition)
    }
    return this.#listening
  }

  ready(): void {
    for (const { component } of this.#hosted) component.ready?.()
  }

  stopping(): void {
    for (const { component } of this.#hosted) component.stopping?.()
  }

  async stop(deadline: Deadline): Promise<void> {
    await Promise.all(
      this.#hosted.map(async ({ name, component }) => {
        try {
          await component.stop?.(deadline)
        } catch (err) {
          this.#options.log.error({ component: name, err }, 'did not stop cleanly')
        }
      }),
    )
  }

  /** An extension that lanes have too, for those beside them: what is asked who a client is has to be in the same thread. */
  async #startOwn(id: string): Promise<void> {
    const { host, definitions } = this.#options
    const found = host.config.service.extensions.includes(id) ? host.config.extensions[id] : undefined
    const definition = found && definitions.find('extension', found.type)
    if (definition?.kind !== 'extension' || definition.place === 'host' || this.#find(id)) return
    await this.#start(id, definition)
  }

  async #start(id: string, definition: ExtensionDefinition): Promise<void> {
    // The loader has validated the configuration against this very definition, whose type parameter is erased here.
    const config = this.#options.host.config.extensions[id]!.config as never
    const hosted = { name: nameOf(id), component: await definition.create(config, this.#context(id)) }
    this.#hosted.push(hosted)
    await starting(hosted)
  }

  #find(id: string): Component | undefined {
    return this.#hosted.find(({ name }) => name === nameOf(id))?.component
  }

  #context(id: string): HostContext {
    const { host, log, meter, health, admission, memory, board } = this.#options
    return {
      kind: 'extension',
      id,
      signals: [],
      host,
      log: log.child(aboutComponent('extension', id)),
      meter,
      tracer: NO_TRACER,
      clock: systemClock,
      lane: { index: 0, count: 1 },
      namesakes: NO_NAMESAKES,
      storage: new MemoryStorage(),
      admission,
      memory,
      shared: (name) => board.piece(`extension ${id} ${name}`),
      listening: (endpoint) => this.#listening.push({ component: `extension ${id}`, ...endpoint }),
      extension: (other) => this.#find(other),
      report: (status, message) =>
        health.take({ kind: 'extension', id, health: status, ...(message !== undefined && { message }) }),
    }
  }
}

function nameOf(id: string): string {
  return `extension ${id}`
}

/** Ids under `authenticator` and in `middlewares`, however deep. */
function namedExtensions(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return []
  return Object.entries(config).flatMap(([key, value]) => {
    if (key === 'authenticator' && typeof value === 'string') return [value]
    if (key === 'middlewares') return (value as readonly { readonly id: string }[]).map(({ id }) => id)
    return namedExtensions(value)
  })
}

async function starting({ name, component }: Hosted): Promise<void> {
  try {
    await component.start?.()
  } catch (cause) {
    const code = cause instanceof SluiceError ? cause.code : 'START_FAILED'
    throw new SluiceError(code, `${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
