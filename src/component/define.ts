import type { ConfigOf, Fields } from '../config/field.ts'
import type { OlderOption } from '../config/older/older-option.ts'
import type { Signal } from '../otlp/batch.ts'
import type { Component, ComponentContext, ComponentKind, ConnectorOutputs, Outputs } from './contracts.ts'
import type { Consumer } from './delivery.ts'
import type { HostContext, HostedExtension } from './host.ts'
import type { RecordProcessor } from './record-processor.ts'

export type Stability = 'development' | 'alpha' | 'beta' | 'stable'

/** A cross-field problem: `path` leads to the key below the component (`['tls', 'cert_file']`). */
export interface ConfigProblem {
  readonly path: readonly (string | number)[]
  /** What was expected, what was seen, a way out. */
  readonly message: string
}

interface Describes<F extends Fields> {
  /** The name YAML uses. */
  readonly type: string
  /** Other spellings of the same component; a deprecated one gets a warning that names `type`. */
  readonly aliases?: readonly string[]
  readonly stability: Stability
  readonly signals: readonly Signal[]
  /** One sentence: what it does for whom. */
  readonly summary: string
  readonly config: F
  /** Options that it had once: taken with a warning, and rewritten by `sluice migrate`. */
  readonly older?: readonly OlderOption[]
  /** Cross-field checks. Pure: no I/O, so that `validate` needs no network. */
  check?(config: ConfigOf<F>): readonly ConfigProblem[]
  /** What does not go with a pipeline of `signal`, one of `signals`. Asked once for each signal that it is used for. */
  checkSignal?(config: ConfigOf<F>, signal: Signal): readonly ConfigProblem[]
}

export type Made<T> = T | Promise<T>

/**
 * `create` builds and starts nothing. It may be async only to import what is heavy: the entry file of a component is
 * loaded for every command, its machinery only where it runs.
 */
export interface ReceiverDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'receiver'
  /**
   * `first`: one instance in the process, in the first lane, for receivers that fetch or make their data: several would bring
   * it several times. Absent: one in every lane, for those that are sent it.
   */
  readonly place?: 'first'
  create(config: ConfigOf<F>, ctx: ComponentContext, next: Outputs): Made<Component>
}

/** Takes and gives deliveries: one instance per pipeline. */
export interface BatchProcessorDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'processor'
  create(config: ConfigOf<F>, ctx: ComponentContext, next: Consumer): Made<Component & Consumer>
  readonly record?: never
}

/**
 * Hooks over cursors: one instance per pipeline, fused with its neighbours. Another is made for a moment after a lane has started, to
 * warm up on made-up data: with a context of its own, without extensions, and left out where that throws.
 */
export interface RecordProcessorDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'processor'
  record(config: ConfigOf<F>, ctx: ComponentContext): Made<RecordProcessor>
  readonly create?: never
}

/** One instance per id, for all signals: `delivery.batch.signal` tells which. */
export interface ExporterDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'exporter'
  create(config: ConfigOf<F>, ctx: ComponentContext): Made<Component & Consumer>
}

/** An exporter to some pipelines and a receiver to others. `connects` lists which signal may become which. */
export interface ConnectorDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'connector'
  readonly connects: readonly (readonly [from: Signal, to: Signal])[]
  create(config: ConfigOf<F>, ctx: ComponentContext, next: ConnectorOutputs): Made<Component & Consumer>
}

/** One instance in every lane, found by the lane's components: authenticators, storages, gatekeepers. */
export interface LaneExtensionDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'extension'
  readonly place?: 'lane'
  create(config: ConfigOf<F>, ctx: ComponentContext): Made<Component>
}

/** One instance in the process, on the main thread, which sees all of it through `ctx.host`: health, pages, profiles. */
export interface HostExtensionDefinition<F extends Fields = Fields> extends Describes<F> {
  readonly kind: 'extension'
  readonly place: 'host'
  create(config: ConfigOf<F>, ctx: HostContext): Made<HostedExtension>
}

export type ExtensionDefinition<F extends Fields = Fields> = LaneExtensionDefinition<F> | HostExtensionDefinition<F>

export type Definition<F extends Fields = Fields> =
  | ReceiverDefinition<F>
  | BatchProcessorDefinition<F>
  | RecordProcessorDefinition<F>
  | ExporterDefinition<F>
  | ConnectorDefinition<F>
  | LaneExtensionDefinition<F>
  | HostExtensionDefinition<F>

// One overload a kind, so that `create` and `check` see the configuration type inferred from `config`.
export function define<F extends Fields>(definition: ReceiverDefinition<F>): ReceiverDefinition<F>
export function define<F extends Fields>(definition: BatchProcessorDefinition<F>): BatchProcessorDefinition<F>
export function define<F extends Fields>(definition: RecordProcessorDefinition<F>): RecordProcessorDefinition<F>
export function define<F extends Fields>(definition: ExporterDefinition<F>): ExporterDefinition<F>
export function define<F extends Fields>(definition: ConnectorDefinition<F>): ConnectorDefinition<F>
export function define<F extends Fields>(definition: HostExtensionDefinition<F>): HostExtensionDefinition<F>
export function define<F extends Fields>(definition: LaneExtensionDefinition<F>): LaneExtensionDefinition<F>
export function define<D extends { readonly kind: ComponentKind }>(definition: D): D {
  return definition
}
