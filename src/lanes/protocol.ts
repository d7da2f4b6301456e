import type { MessagePort } from 'node:worker_threads'
import type { ComponentKind } from '../component/contracts.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { ComponentState } from '../graph/graph.ts'
import type { LogOptions } from '../telemetry/log.ts'
import type { SeriesDescriptor } from '../telemetry/shared-meter.ts'
import type { FinishedSpan } from '../telemetry/tracer.ts'
import type { BoundAddress } from '../transport/port-sharing.ts'

/** What a lane is started with. Crosses the thread by structured clone, the port by transfer. */
export interface LaneTask {
  /** Its slot, from 0. A lane that replaces another has the same. */
  readonly lane: number
  /** How many slots there are at this time. */
  readonly lanes: number
  /** How many lanes this slot has had before. */
  readonly generation: number
  readonly config: ResolvedConfig
  readonly log: LogOptions
  /** Memory of the lane's meter, owned by the supervisor. */
  readonly meter: SharedArrayBuffer
  /** Memory of the byte budget, which all lanes share. */
  readonly admission: SharedArrayBuffer
  /** Where threads publish how much memory they use (`ThreadMemory`). */
  readonly memory: SharedArrayBuffer
  /** What the first lane has bound so far, for those after it. */
  readonly ports: readonly BoundAddress[]
  /** Where lanes count their connections (`ConnectionShare`). */
  readonly connections: SharedArrayBuffer
  /** What instances in several lanes share (`SharedBoard`). */
  readonly board: SharedArrayBuffer
  readonly port: MessagePort
}

/** What people call a lane: its thread in metrics, logs and profiles. */
export function laneName(lane: number): string {
  return `lane-${lane + 1}`
}

/** Where the thread of a lane has its place in memory that threads share: the main one is 0. */
export function threadOf(lane: number): number {
  return lane + 1
}

export interface Listening {
  readonly component: string
  readonly transport: string
  readonly address: string
}

/** What a component of a lane said about itself. */
export interface HealthReport {
  readonly kind: ComponentKind
  readonly id: string
  readonly pipeline?: string
  readonly health: 'ok' | 'recoverable' | 'permanent' | 'fatal'
  readonly message?: string
}

export type FromLane =
  /** The first message: the thread has loaded its modules and begins with its task. `thread` is Node's id of it. */
  | { readonly type: 'hello'; readonly thread: number }
  /** A component reads the memory of the process: the main thread is to publish its own from now on. */
  | { readonly type: 'watchMemory' }
  | { readonly type: 'health'; readonly report: HealthReport }
  /** A JSON log line, where lines are sent on. */
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'spans'; readonly spans: readonly FinishedSpan[] }
  | { readonly type: 'series'; readonly series: SeriesDescriptor }
  /** The first lane listens somewhere: said before it has started. */
  | { readonly type: 'bound'; readonly bound: BoundAddress }
  | { readonly type: 'started'; readonly listening: readonly Listening[] }
  /** It is warm. */
  | { readonly type: 'ready' }
  /** Something threw where nobody catches: the thread ends now. */
  | { readonly type: 'crashed'; readonly error: unknown }
  /** Of a lane that retires: what a component of it holds, for the one that takes its place. */
  | { readonly type: 'state'; readonly state: ComponentState }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

export interface Stop {
  readonly type: 'stop'
  readonly timeoutMs: number
  /** Another lane will have its slot, and what it holds. */
  readonly handOver: boolean
}

export type ToLane =
  | Stop
  /** What the lane that had this slot before held. */
  | { readonly type: 'state'; readonly state: readonly ComponentState[] }
  /** End at once, whatever there is. */
  | { readonly type: 'die' }
  /** The lane in slot `lane` is about to stop: it is given nothing new, and answers for what it has. */
  | { readonly type: 'peerLeaves'; readonly lane: number }
  /** The lane in slot `lane` runs, and `port` leads to it. */
  | { readonly type: 'peer'; readonly lane: number; readonly port: MessagePort }
  /** The lane in slot `lane` has ended, and nothing comes from it any more. */
  | { readonly type: 'peerGone'; readonly lane: number }
