import type { Worker } from 'node:worker_threads'
import type { Definition } from '../component/define.ts'
import type { ComponentHealth, Host, ProfiledThread } from '../component/host.ts'
import { effectiveConfig } from '../config/print.ts'
import type { Registry } from '../config/registry.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { withHeld } from '../telemetry/ledger.ts'
import type { MeterRegistry, Reading } from '../telemetry/registry.ts'
import type { SpanSummary } from '../telemetry/span-book.ts'
import type { HealthBook } from './health-book.ts'

export interface EngineHostOptions {
  readonly version: string
  readonly resource: Readonly<Record<string, string>>
  readonly config: ResolvedConfig
  /** What the configuration was checked against. */
  readonly definitions: Registry<Definition>
  readonly health: HealthBook
  readonly registry: MeterRegistry
  /** The last sampled spans by name. */
  readonly spans: () => readonly SpanSummary[]
  /** The threads of the lanes that run now, by slot. */
  readonly workers: () => ReadonlyMap<number, Worker>
}

/** The process as extensions see it that run beside the lanes. */
export class EngineHost implements Host {
  readonly version: string
  readonly resource: Readonly<Record<string, string>>
  readonly config: ResolvedConfig
  readonly startedAt = performance.timeOrigin
  readonly #definitions: Registry<Definition>
  readonly #health: HealthBook
  readonly #registry: MeterRegistry
  readonly #workers: () => ReadonlyMap<number, Worker>
  readonly spans: () => readonly SpanSummary[]

  constructor({ version, resource, config, definitions, health, registry, workers, spans }: EngineHostOptions) {
    this.spans = spans
    this.version = version
    this.resource = resource
    this.config = config
    this.#definitions = definitions
    this.#health = health
    this.#registry = registry
    this.#workers = workers
  }

  effectiveConfig(): Readonly<Record<string, unknown>> {
    return effectiveConfig(this.config, this.#definitions)
  }

  health(): readonly ComponentHealth[] {
    return this.#health.read()
  }

  onHealth(callback: () => void): () => void {
    return this.#health.listen(callback)
  }

  readings(): readonly Reading[] {
    return withHeld(this.#registry.read())
  }

  async threads(): Promise<readonly ProfiledThread[]> {
    const { profiledThreads } = await import('./profiled-threads.ts')
    return profiledThreads(this.#workers())
  }
}
