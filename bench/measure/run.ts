/** What the kinds of measurement have in common. Every function ends what it started, also when it throws. */
import type { Engine } from '../engines.ts'
import { Histogram } from '../load/histogram.ts'
import type { Load, SinkOptions, Totals, Window } from '../load/protocol.ts'
import { LoadProcess, type RunningEngine, startEngine } from '../processes.ts'
import type { EngineResult, Figures, Run } from '../report/figures.ts'
import { heapAllocated } from './heap.ts'

export interface Pace {
  /** CPU time that the engine gets before the window, and the longest that may take. */
  readonly warmUp: { readonly cpuMs: number; readonly atMostMs: number }
  readonly windowMs: number
  readonly repeats: number
  /** The most clients of an overload. */
  readonly crowd: { readonly connections: number; readonly inFlight: number }
  /** How long more is offered than a sink takes, and how long the engine is left alone after it. */
  readonly overloadMs: number
  readonly restMs: number
  /** How long an engine is left alone before its idle memory and CPU are read. */
  readonly settleMs: number
  readonly soakMs: number
}

export interface Outcome {
  readonly results: readonly EngineResult[]
  /** Beside the figures. */
  readonly notes: readonly string[]
  /** What has to hold for the figures to mean anything: everything ran and every item is accounted for. */
  readonly broken: readonly string[]
  /** Targets that are no figure's. */
  readonly missed: readonly string[]
}

/** Runs `work` against a fresh engine with clients before and a sink behind it. */
export async function between<T>(
  engine: Engine,
  pipeline: string,
  load: Load,
  sink: SinkOptions | undefined,
  work: (engine: RunningEngine, load: LoadProcess) => Promise<T>,
): Promise<T> {
  const client = await LoadProcess.start(sink ?? { protocol: load.protocol })
  try {
    const running = await startEngine(engine, { pipeline, outPort: client.sinkPort, protocol: load.protocol })
    try {
      return await work(running, client)
    } finally {
      await running.stop()
    }
  } finally {
    await client.stop()
  }
}

/** What a window under load says. `output`: what the engine printed in it. */
export function figuresOf(window: Window, totals: Totals, output: string): Figures {
  const latency = new Histogram()
  latency.add(window.latency)
  const heap = heapAllocated(output)
  const perItem = window.items === 0 ? undefined : window.cpuMicros / window.items
  return defined({
    items_per_cpu_s: perItem === undefined || perItem === 0 ? undefined : 1e6 / perItem,
    cpu_us_per_item: perItem,
    acked_per_s: (window.acknowledged * 1000) / window.ms,
    delivered_per_s: (window.items * 1000) / window.ms,
    p50_ms: latency.quantile(0.5),
    p99_ms: latency.quantile(0.99),
    p999_ms: latency.quantile(0.999),
    peak_rss_mib: window.peakRssMib,
    alloc_bytes_per_item:
      heap === undefined || window.items === 0 ? undefined : (heap.bytesPerMs * window.ms) / window.items,
    lost: lost(totals),
    cpu_percent: window.cpuMicros / window.ms / 10,
    load_percent: window.loadMicros / window.ms / 10,
    out_bytes_per_item: window.items === 0 ? undefined : window.outBytes / window.items,
  })
}

/** Acknowledged items that did not arrive; requests count, whose numbers are missing, where items seem to agree. */
export function lost({ acknowledged, delivered, missing }: Totals): number {
  return Math.max(0, acknowledged - delivered, missing ?? 0)
}

/** What a window delivered; in a smoke's moment, which a cold engine on a busy machine may need to begin, the whole run. */
export function deliveredIn({ items, ms }: Pick<Window, 'items' | 'ms'>, { delivered }: Totals): number {
  return ms < 1000 ? delivered : items
}

/** What is not accounted for at the end of a run. */
export function unaccounted(engine: Engine, accounting: 'exact' | 'kept', items: number, totals: Totals): string[] {
  const { sent, acknowledged, delivered, missing = 0 } = totals
  const problems: string[] = []
  // It acknowledges before it delivers: what it loses or delivers late is its figure, and no reason to doubt it.
  if (engine === 'rotel') return problems
  if (items === 0) problems.push(`${engine}: nothing was delivered in the window`)
  if (acknowledged > delivered) problems.push(`${engine}: acknowledged ${acknowledged}, delivered ${delivered}`)
  if (missing > 0) problems.push(`${engine}: ${missing} requests were acknowledged and did not arrive`)
  if (accounting === 'exact' && (sent !== acknowledged || sent !== delivered)) {
    problems.push(`${engine}: sent ${sent}, acknowledged ${acknowledged}, delivered ${delivered}`)
  }
  return [...problems, ...totals.failures.map((failure) => `${engine}: ${failure}`)]
}

/** The runs of each engine, which take turns within each repeat: a slow minute of the machine hits all of them. */
export class Runs {
  readonly #runs = new Map<Engine, Run[]>()

  add(engine: Engine, run: Run): void {
    const runs = this.#runs.get(engine)
    if (runs === undefined) this.#runs.set(engine, [run])
    else runs.push(run)
  }

  results(): EngineResult[] {
    return [...this.#runs].map(([engine, runs]) => ({ engine, runs }))
  }
}

/** Without the figures that are not known. */
export function defined(figures: { readonly [K in keyof Figures]?: number | undefined }): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined))
}
