import type { ResolvedConfig } from '../config/resolved.ts'
import type { Reading } from '../telemetry/registry.ts'
import type { SpanSummary } from '../telemetry/span-book.ts'
import type { Component, ComponentContext, ComponentKind } from './contracts.ts'

/** The health of a component, or of several together. Ordered from best to worst in `SEVERITY`. */
export type Health = 'ok' | 'starting' | 'stopping' | 'stopped' | 'recoverable' | 'permanent' | 'fatal'

/** The health of one component since when, and what it said about it. */
export interface ComponentHealth {
  readonly kind: ComponentKind
  readonly id: string
  /** Of a processor, which each pipeline has its own instance of. */
  readonly pipeline?: string
  readonly health: Health
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly message?: string
}

/** A thread of the engine whose CPU and memory can be looked into while it runs. */
export interface ProfiledThread {
  /** `main`, `lane-1`, … */
  readonly name: string
  /** Begins a CPU profile; the function that it resolves with ends it and gives V8's `.cpuprofile`, a JSON text. */
  cpuProfile(): Promise<() => Promise<string>>
  /** Begins a sampled profile of live heap objects; ended like `cpuProfile`, as V8's `.heapprofile`. */
  heapProfile(): Promise<() => Promise<string>>
  /** V8's `.heapsnapshot`, a JSON text in pieces. Stops the thread while it is taken. */
  heapSnapshot(): Promise<NodeJS.ReadableStream>
}

/** The whole process, as an extension sees it that runs beside the lanes. */
export interface Host {
  readonly version: string
  /** Attributes of the process itself: `service.name`, … */
  readonly resource: Readonly<Record<string, string>>
  /** When the process began to start, ms since the epoch. */
  readonly startedAt: number
  readonly config: ResolvedConfig
  /** The configuration as it could be written, defaults included, secrets redacted. Plain data. */
  effectiveConfig(): Readonly<Record<string, unknown>>
  /** Health of every component that runs, extensions included. */
  health(): readonly ComponentHealth[]
  /** Calls back, in the same turn, after each change of `health`; the returned function ends that. */
  onHealth(callback: () => void): () => void
  /** The readings of all instruments, as the metrics endpoint shows them. */
  readings(): readonly Reading[]
  /** Spans of the engine's own work: the last sampled ones, by name and latency. */
  spans(): readonly SpanSummary[]
  /** Threads that run now, the main one first. */
  threads(): Promise<readonly ProfiledThread[]>
}

/** What an extension gets that runs beside the lanes. */
export interface HostContext extends ComponentContext {
  readonly host: Host
}

/**
 * An extension that runs beside the lanes has the life of any component. Started before the lanes, `ready` when they
 * have, `stopping` before they stop, stopped after them.
 */
export type HostedExtension = Component
