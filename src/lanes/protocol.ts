import type { ComponentKind } from '../component/contracts.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { LogOptions } from '../telemetry/log.ts'
import type { SeriesDescriptor } from '../telemetry/shared-meter.ts'
import type { FinishedSpan } from '../telemetry/tracer.ts'

/** What a lane is started with. Crosses the thread by structured clone, the port by transfer. */
export interface LaneTask {
  readonly config: ResolvedConfig
  readonly log: LogOptions
  /** Memory of the lane's meter, owned by the supervisor. */
  readonly meter: SharedArrayBuffer
  /** Memory of the byte budget, which all lanes share. */
  readonly admission: SharedArrayBuffer
  /** Where threads publish how much memory they use (`ThreadMemory`). */
  readonly memory: SharedArrayBuffer
  readonly port: import('node:worker_threads').MessagePort
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
  /** A component reads the memory of the process: the main thread is to publish its own from now on. */
  | { readonly type: 'watchMemory' }
  | { readonly type: 'health'; readonly report: HealthReport }
  /** A JSON log line, where lines are sent on. */
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'spans'; readonly spans: readonly FinishedSpan[] }
  | { readonly type: 'series'; readonly series: SeriesDescriptor }
  | { readonly type: 'started'; readonly listening: readonly Listening[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

export type ToLane = { readonly type: 'stop'; readonly timeoutMs: number }
