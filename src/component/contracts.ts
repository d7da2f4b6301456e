import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { SharedPiece } from '../memory/shared-board.ts'
import type { ProcessMemory } from '../memory/thread-memory.ts'
import type { Signal } from '../otlp/batch.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { Tracer } from '../telemetry/tracer.ts'
import type { Admission } from '../transport/admission.ts'
import type { Consumer } from './delivery.ts'
import type { Namesakes } from './namesakes.ts'

export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'

/** A component's life. Started back to front (extensions, exporters, …, receivers), stopped front to back. */
export interface Component {
  /** May do I/O: bind, open, connect. A rejection stops the start of everything. */
  start?(): Promise<void> | void
  /** Every component has started and data may flow. */
  ready?(): void
  /** The stop of everything begins: called on all before the first `stop`. */
  stopping?(): void
  /**
   * Refuses new work, settles what is held before the deadline, releases everything. Safe twice, safe unstarted.
   * Whatever is still held at the deadline is settled `stopping`.
   */
  stop?(deadline: Deadline): Promise<void> | void
  /**
   * Gives what it holds for longer than it takes to hand data on, once no new data comes and before `stop`, for the namesake that takes
   * its place: pieces in a form of its own, some megabytes at most each, which name their version. It holds nothing of that any more:
   * deliveries are settled as delivered, their items booked as given.
   */
  exportState?(): Iterable<Uint8Array>
  /**
   * Takes in a piece that a namesake gave, beside what it may hold already, and books its items as taken. Throws where it cannot
   * read it: what was in it is lost then.
   */
  importState?(piece: Uint8Array): void
}

/** The time by which a stop has to be done. */
export interface Deadline {
  /** Milliseconds left; 0 once it has passed. */
  remaining(): number
  /** Aborts when the deadline passes. */
  readonly signal: AbortSignal
}

/** Which of the lanes a component runs in. Beside the lanes it is the only one of its kind: the first of one. */
export interface LanePlace {
  /** From 0. A lane that replaces another has the same. */
  readonly index: number
  /** How many there were when this one started. */
  readonly count: number
}

/** What the engine hands in. Nothing from outside reaches a component another way. */
export interface ComponentContext {
  readonly kind: ComponentKind
  /** As the YAML spells it: `otlp/eu`. */
  readonly id: string
  /** Signals of the pipelines that this instance is wired into. */
  readonly signals: readonly Signal[]
  /** The pipeline (`traces/eu`) that a processor belongs to; other kinds serve several. */
  readonly pipeline?: string
  readonly log: Logger
  readonly meter: Meter
  /** Makes spans of what the component does, for the few requests that are sampled. */
  readonly tracer: Tracer
  readonly clock: Clock
  readonly lane: LanePlace
  /** This component in the other lanes. */
  readonly namesakes: Namesakes
  readonly storage: Storage
  /** The byte budget of the process: what receivers book before they read a body. */
  readonly admission: Admission
  readonly memory: ProcessMemory
  /** A piece of memory that the instances of this component in all lanes share, by a name of its own. */
  shared(name: string): SharedPiece
  /** Books of the pipeline a processor belongs to. Other kinds have none: their pipeline's ends book for them. */
  readonly ledger?: LedgerEntries
  /** Says where this instance listens, for the start-up screen and for tests that bind port 0. */
  listening(endpoint: { readonly transport: string; readonly address: string }): void
  /** The running instances of the service's extensions, by id. */
  extension(id: string): Component | undefined
  /** Health of this instance, as `sluice_component_healthy` shows it; `message` says what is wrong. */
  report(status: 'ok' | 'recoverable' | 'permanent' | 'fatal', message?: string): void
}

/**
 * Items that end inside a pipeline and not at its exporters: whoever ends them books them, once. What is handed to `next`
 * is booked behind it.
 */
export interface LedgerEntries {
  /**
   * Settled as failed by the processor itself, without being handed on: refused, given up at a stop. Negative undoes what was
   * booked behind it: a batch that came back failed is kept, to be handed on again.
   */
  failed(signal: Signal, reason: string, items: number): void
  /** Left out on purpose: sampled away, filtered, … `reason` is snake_case with few values. */
  dropped(signal: Signal, reason: string, items: number): void
  /** Went into an aggregate that leaves later as other items. */
  folded(signal: Signal, items: number): void
  /** Items that were not in what came in: an aggregate, a summary. To be booked before they are handed to `next`. */
  made(signal: Signal, items: number): void
  /** Moved in a piece of state: given by the instance that exported it, taken by the one that imports it. */
  given(signal: Signal, items: number): void
  taken(signal: Signal, items: number): void
}

/** Bytes under names, private to one component instance. */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  set(key: string, value: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
}

/** Where a receiver puts batches: the consumer of every signal it is wired for. */
export type Outputs = Partial<Record<Signal, Consumer>>

/** Where a connector puts batches. */
export interface ConnectorOutputs {
  /** All pipelines of `signal` that this connector feeds, as one consumer; undefined where there are none. */
  to(signal: Signal): Consumer | undefined
  /** One pipeline by id. */
  pipeline(id: string): Consumer | undefined
  readonly pipelines: readonly string[]
}
