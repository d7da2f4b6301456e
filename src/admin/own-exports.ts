import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { ProcessorConfig } from '../config/telemetry-fields.ts'
import type { Meter } from '../telemetry/meter.ts'
import { OwnProcessor } from '../telemetry/own-processor.ts'
import type { OwnResource } from '../telemetry/own-resource.ts'
import { Seldom } from '../telemetry/seldom.ts'
import { exportDrops, exportFailures } from './export-instruments.ts'

export interface OwnExportsOptions<T> {
  readonly signal: 'logs' | 'traces'
  readonly processors: readonly ProcessorConfig[]
  readonly encode: (items: readonly T[], resource: OwnResource, version: string, now: number) => Uint8Array
  readonly resource: OwnResource
  readonly version: string
  readonly clock: Clock
  /** Not one whose lines come back here. */
  readonly log: Logger
  readonly meter: Meter
}

/** `processors` of `service.telemetry.logs` or `.traces`: where every item goes to. */
export class OwnExports<T> {
  readonly #processors: readonly OwnProcessor<T>[]

  constructor({ signal, processors, encode, resource, version, clock, log, meter }: OwnExportsOptions<T>) {
    const failures = exportFailures(meter, signal)
    const lost = exportDrops(meter, signal)
    const seldom = new Seldom(clock)
    this.#processors = processors.map((config, index) => {
      const place = `service.telemetry.${signal}.processors[${index}]`
      return new OwnProcessor<T>({
        config,
        clock,
        signal,
        encode: (items) => encode(items, resource, version, clock.now()),
        dropped: (items) => lost.add(items),
        failed(reason) {
          failures.add(1)
          seldom.say(place, (times) => log.warn(`${place}: ${signal} were not sent${times}: ${reason}`))
        },
      })
    })
  }

  async start(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.start()))
  }

  add(item: T): void {
    for (const processor of this.#processors) processor.add(item)
  }

  /** Sends what is gathered, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.stop(timeoutMs)))
  }
}
