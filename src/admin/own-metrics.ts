import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { ReaderConfig, ViewConfig } from '../config/telemetry-fields.ts'
import type { Listening } from '../lanes/protocol.ts'
import { expositionOptions } from '../telemetry/exposition.ts'
import { withHeld } from '../telemetry/ledger.ts'
import { levelIncludes, type Meter, type MetricLevel } from '../telemetry/meter.ts'
import { type OwnResource, resourceTexts } from '../telemetry/own-resource.ts'
import { PeriodicReader } from '../telemetry/periodic-reader.ts'
import type { MeterRegistry, Reading } from '../telemetry/registry.ts'
import { Seldom } from '../telemetry/seldom.ts'
import { views } from '../telemetry/views.ts'
import { exportFailures } from './export-instruments.ts'
import { MetricsServer } from './metrics-server.ts'

export interface OwnMetricsOptions {
  readonly config: {
    readonly level: MetricLevel
    readonly readers: readonly ReaderConfig[]
    readonly views: readonly ViewConfig[]
  }
  readonly registry: MeterRegistry
  readonly resource: OwnResource
  readonly version: string
  readonly clock: Clock
  /** When the process began, ms since the epoch. */
  readonly startedAt: number
  readonly log: Logger
  readonly meter: Meter
}

/** `service.telemetry.metrics`: everybody who reads Sluice's metrics, in the supervisor's thread. */
export class OwnMetrics {
  readonly #servers: MetricsServer[] = []
  readonly #periodic: PeriodicReader[] = []

  constructor(options: OwnMetricsOptions) {
    const { config, resource, version, meter } = options
    const read = reading(options)
    const seldom = new Seldom(options.clock)
    for (const [index, { pull, periodic }] of config.readers.entries()) {
      const prometheus = pull?.exporter.prometheus
      if (prometheus !== undefined) {
        const naming = expositionOptions(prometheus, resourceTexts(resource), version)
        this.#servers.push(new MetricsServer(read, prometheus, naming))
      }
      if (periodic === undefined) continue
      const failures = exportFailures(meter, 'metrics')
      const failed = (reason: string): void => {
        failures.add(1)
        const place = `service.telemetry.metrics.readers[${index}]`
        seldom.say(place, (times) => options.log.warn(`${place}: metrics were not sent${times}: ${reason}`))
      }
      this.#periodic.push(new PeriodicReader({ ...options, config: periodic, read, failed }))
    }
  }

  /** Resolves with where metrics are pulled. */
  async start(): Promise<readonly Listening[]> {
    await Promise.all(this.#periodic.map((reader) => reader.start()))
    const addresses = await Promise.all(this.#servers.map((server) => server.start()))
    return addresses.map((address) => ({
      component: 'metrics',
      transport: 'http',
      address: `http://${address}/metrics`,
    }))
  }

  /** Periodic readers send once more, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    await Promise.all([
      ...this.#servers.map((server) => server.stop()),
      ...this.#periodic.map((reader) => reader.stop(timeoutMs)),
    ])
  }
}

/** The readings that the level tells, in the order of their names, views applied. */
function reading({ config, registry, version }: OwnMetricsOptions): () => readonly Reading[] {
  const apply = views(config.views, version)
  return () => {
    const all = withHeld(registry.read()).filter(({ level = 'basic' }) => levelIncludes(config.level, level))
    return apply(all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)))
  }
}
