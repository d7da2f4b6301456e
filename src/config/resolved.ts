import type { Signal } from '../otlp/batch.ts'
import type { MetricsConfig, ReaderConfig, Telemetry } from './telemetry-fields.ts'

/** A configuration that was found sound: defaults filled, references checked. Plain data that crosses threads. */
export interface ResolvedConfig {
  /** Every configured component by id, also those that no pipeline uses. */
  readonly receivers: Components
  readonly processors: Components
  readonly exporters: Components
  readonly connectors: Components
  readonly extensions: Components
  readonly service: ResolvedService
  /** Paths (`['exporters', 'otlp', 'headers', 'x-key']`) of the values that nobody may print. */
  readonly secrets: readonly (readonly (string | number)[])[]
}

export type Components = Readonly<Record<string, ResolvedComponent>>

export interface ResolvedComponent {
  /** As the YAML spells it: `otlp/eu`. */
  readonly id: string
  /** The definition's own name, whichever alias the id uses. */
  readonly type: string
  /** What the definition's fields describe; durations in ms. */
  readonly config: Readonly<Record<string, unknown>>
  /** False where nothing in the service refers to it: such a component is not built. */
  readonly used: boolean
}

export interface ResolvedPipeline {
  /** `traces/eu`. */
  readonly id: string
  readonly signal: Signal
  /** Ids of receivers, and of connectors that feed this pipeline. */
  readonly receivers: readonly string[]
  /** Ids in the order in which data passes them. */
  readonly processors: readonly string[]
  /** Ids of exporters, and of connectors that this pipeline feeds. */
  readonly exporters: readonly string[]
}

export interface ResolvedService {
  readonly pipelines: readonly ResolvedPipeline[]
  /** Ids in the order in which they start. */
  readonly extensions: readonly string[]
  readonly telemetry: ResolvedTelemetry
  /** The byte budget of receivers, as `service.admission` sets it. */
  readonly admission: { readonly limitMib: number | undefined; readonly limitPercentage: number | undefined }
  /** Worker threads that each hold every pipeline; `auto`: one a processor. */
  readonly lanes: number | 'auto'
  /** So many may be lost within a minute before the process gives up. */
  readonly laneRestartsPerMinute: number
  /** How long a stop may take to drain, ms. */
  readonly shutdownTimeoutMs: number
  /** Ids of the feature gates that are on. */
  readonly featureGates: readonly string[]
}

/** `service.telemetry`, but that the readers are those that run: none at level none, the usual one where none is named. */
export interface ResolvedTelemetry extends Omit<Telemetry, 'metrics'> {
  readonly metrics: Pick<MetricsConfig, 'level' | 'views'> & { readonly readers: readonly ReaderConfig[] }
}

/** The five sections that hold components, in the order in which problems and printed configurations list them. */
export const SECTIONS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const
export type Section = (typeof SECTIONS)[number]
