import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { ResolvedTelemetry } from '../config/resolved.ts'
import type { LogsConfig } from '../config/telemetry-fields.ts'
import type { Listening } from '../lanes/protocol.ts'
import { type LogOptions, makeLogger } from '../telemetry/log.ts'
import { LogSampler } from '../telemetry/log-sampling.ts'
import type { Meter } from '../telemetry/meter.ts'
import { encodeLogs } from '../telemetry/otlp-logs.ts'
import { encodeSpans } from '../telemetry/otlp-spans.ts'
import { type OwnResource, ownResource, resourceTexts } from '../telemetry/own-resource.ts'
import { MeterRegistry } from '../telemetry/registry.ts'
import { SharedMeter } from '../telemetry/shared-meter.ts'
import { SpanBook, type SpanSummary } from '../telemetry/span-book.ts'
import { threadMetrics } from '../telemetry/thread-metrics.ts'
import type { FinishedSpan } from '../telemetry/tracer.ts'
import { OwnExports } from './own-exports.ts'
import { OwnMetrics } from './own-metrics.ts'
import { heapsOf, processReadings, targetInfo } from './process-readings.ts'

export interface OwnTelemetryOptions {
  readonly config: ResolvedTelemetry
  readonly version: string
  readonly clock: Clock
  /** A person reads standard error. */
  readonly terminal: boolean
  /** When the process began, ms since the epoch. */
  readonly startedAt: number
}

/**
 * What the process tells about itself, in the supervisor's thread: the meters' registry, log lines, and everybody they are
 * sent to. Lanes hand in what they have to tell.
 */
export class OwnTelemetry {
  readonly resource: OwnResource
  /** The resource's attributes as text. */
  readonly resourceTexts: Readonly<Record<string, string>>
  readonly registry = new MeterRegistry()
  /** Counts what happens beside the lanes. */
  readonly meter: Meter
  readonly logOptions: LogOptions
  readonly log: Logger
  readonly #metrics: OwnMetrics
  readonly #logs: OwnExports<string>
  readonly #spans: OwnExports<FinishedSpan>
  readonly #book = new SpanBook()
  readonly #figures: { stop(): void }

  /** Opens the files that log lines go to: throws LOG_OUTPUT where one cannot be. */
  constructor({ config, version, clock, terminal, startedAt }: OwnTelemetryOptions) {
    this.resource = ownResource(automaticResource(version), config.resource)
    this.resourceTexts = resourceTexts(this.resource)
    this.logOptions = logOptions(config.logs, this.resource, terminal)
    this.log = makeLogger(this.logOptions, this.logOptions.forwarded ? (line) => this.takeLine(line) : undefined)
    this.registry.observe(() => [...processReadings(undefined, heapsOf(this.registry)), targetInfo(this.resourceTexts)])
    const memory = SharedMeter.memory()
    this.meter = new SharedMeter(memory, this.registry.attach(memory), config.metrics.level)
    this.#figures = threadMetrics(this.meter, 'main')
    // What fails on the way out is not sent out: that would go round in a circle.
    const local = { version, clock, resource: this.resource, log: makeLogger(this.logOptions), meter: this.meter }
    this.#metrics = new OwnMetrics({ ...local, config: config.metrics, registry: this.registry, startedAt })
    this.#logs = new OwnExports<string>({
      ...local,
      signal: 'logs',
      processors: config.logs.processors,
      encode: encodeLogs,
    })
    this.#spans = new OwnExports<FinishedSpan>({
      ...local,
      signal: 'traces',
      processors: config.traces.processors,
      encode: encodeSpans,
    })
  }

  /** A JSON log line, of this thread or a lane. */
  takeLine(line: string): void {
    this.#logs.add(line)
  }

  takeSpans(spans: readonly FinishedSpan[]): void {
    for (const span of spans) {
      this.#book.add(span)
      this.#spans.add(span)
    }
  }

  /** The last sampled spans by name. */
  spans(): readonly SpanSummary[] {
    return this.#book.read()
  }

  /** Resolves with where metrics are pulled. */
  async start(): Promise<readonly Listening[]> {
    await Promise.all([this.#logs.start(), this.#spans.start()])
    return this.#metrics.start()
  }

  /** Sends what there is, for at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#figures.stop()
    await Promise.all([this.#metrics.stop(timeoutMs), this.#logs.stop(timeoutMs), this.#spans.stop(timeoutMs)])
  }
}

/** The attributes that the Collector has on its own. */
function automaticResource(version: string): Record<string, string> {
  return { 'service.name': 'sluice', 'service.version': version, 'service.instance.id': randomUUID() }
}

function logOptions(config: LogsConfig, resource: OwnResource, terminal: boolean): LogOptions {
  const { level, encoding, initial_fields, output_paths, error_output_paths, sampling } = config
  const read = terminal && output_paths.every((path) => path === 'stderr')
  return {
    // The Go logger's two levels between error and fatal say how hard it panics.
    level: level === 'dpanic' || level === 'panic' ? 'fatal' : level,
    encoding: encoding ?? (read ? 'console' : 'json'),
    colour: read && !process.env.NO_COLOR,
    initialFields: initial_fields,
    outputPaths: output_paths,
    errorOutputPaths: error_output_paths,
    ...(sampling.enabled && {
      sampling: {
        tickMs: sampling.tick,
        initial: sampling.initial,
        thereafter: sampling.thereafter,
        counts: LogSampler.memory(),
      },
    }),
    ...(!config.disable_zap_resource && { resource: resourceTexts(resource) }),
    withoutStacks: config.disable_stacktrace,
    forwarded: config.processors.length > 0,
  }
}
