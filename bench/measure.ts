/** How each kind of case is measured. Every function ends what it started, also when it throws. */
import type { Allocation, Engine, Start, Throughput } from './cases.ts'
import { type EngineOptions, LoadProcess, type RunningEngine, startEngine } from './engine.ts'
import type { Load, Totals, Window } from './load.ts'
import { type Spread, show, spread } from './statistics.ts'
import { heapAllocated } from './trace-gc.ts'

export interface Pace {
  /** CPU time that the engine gets before the window, and the longest that may take. */
  readonly warmUp: { readonly cpuMs: number; readonly atMostMs: number }
  readonly windowMs: number
  readonly repeats: number
}

export interface Outcome {
  readonly lines: readonly string[]
  /** What has to hold for the figures to mean anything: everything ran and every item is accounted for. */
  readonly broken: readonly string[]
  /** Targets that were not reached. */
  readonly missed: readonly string[]
  /** For `--json`. */
  readonly figures: Readonly<Record<string, unknown>>
}

/** Runs `work` against a fresh engine under load and gives its result with the totals of the run. */
async function underLoad<T>(
  engine: Engine,
  load: Load,
  options: Omit<EngineOptions, 'outPort'>,
  work: (engine: RunningEngine, load: LoadProcess) => Promise<T>,
): Promise<{ readonly result: T; readonly totals: Totals }> {
  const client = await LoadProcess.start()
  try {
    const running = await startEngine(engine, { ...options, outPort: client.sinkPort })
    try {
      await client.begin({ port: running.port, load })
      const result = await work(running, client)
      return { result, totals: await client.drain() }
    } finally {
      await running.stop()
    }
  } finally {
    await client.stop()
  }
}

/** Engines take turns within each repeat, so that a slow minute of the machine hits all of them. */
export async function throughput(spec: Throughput, pace: Pace): Promise<Outcome> {
  const windows = new Map<Engine, Window[]>(spec.engines.map((engine) => [engine, []]))
  const broken: string[] = []
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    for (const engine of spec.engines) {
      const { result, totals } = await underLoad(engine, spec.load, spec, async (running, load) => {
        await load.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
        return load.measure(running.pid, pace.windowMs)
      })
      windows.get(engine)!.push(result)
      broken.push(...unaccounted(engine, result, totals))
    }
  }
  const cost = new Map<Engine, Spread>()
  const lines: string[] = []
  for (const [engine, measured] of windows) {
    const perItem = spread(measured.map((window) => window.cpuMicros / window.items))
    const rate = spread(measured.map((window) => window.items / window.ms))
    const busy = spread(measured.map((window) => window.cpuMicros / window.ms / 10))
    cost.set(engine, perItem)
    lines.push(
      `${engine.padEnd(12)} ${show(perItem, 3)} µs CPU per span = ${(1000 / perItem.median).toFixed(0)} k spans per CPU second · ` +
        `${show(rate, 0)} k spans/s at ${show(busy, 0)} % of a core`,
    )
  }
  const missed: string[] = []
  const ratios = spec.targets.map(({ than, times }) => {
    // Pairs of the same repeat: what slowed both of them cancels out.
    const pairs = windows.get(than)!.map((other, i) => {
      const own = windows.get('sluice')![i]!
      return other.cpuMicros / other.items / (own.cpuMicros / own.items)
    })
    const ratio = spread(pairs)
    const verdict = ratio.median >= times ? 'reached' : 'MISSED'
    if (verdict === 'MISSED')
      missed.push(`${spec.name}: ${ratio.median.toFixed(2)}x cheaper than ${than}, not ${times}x`)
    lines.push(`sluice is ${show(ratio, 2)}x cheaper than ${than}; target ${times}x: ${verdict}`)
    return { than, times, ratio }
  })
  return { lines, broken, missed, figures: { cpuMicrosPerItem: Object.fromEntries(cost), ratios } }
}

/** Without a queue an acknowledgement stands for delivery, so the three totals agree once all is drained. */
function unaccounted(engine: Engine, window: Window, totals: Totals): string[] {
  const problems: string[] = []
  if (window.items === 0) problems.push(`${engine}: nothing was delivered in the window`)
  if (totals.sent !== totals.acknowledged || totals.sent !== totals.delivered) {
    const { sent, acknowledged, delivered } = totals
    problems.push(`${engine}: sent ${sent}, acknowledged ${acknowledged}, delivered ${delivered}`)
  }
  return [...problems, ...totals.failures.map((failure) => `${engine}: ${failure}`)]
}

export async function start(spec: Start, runs: number): Promise<Outcome> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    // Nobody listens at port 1: an exporter's peer has no part in the start.
    const engine = await startEngine('sluice', { outPort: 1, mode: 'pass', processors: {} })
    times.push(engine.startMs)
    await engine.stop()
  }
  const time = spread(times)
  const reached = time.median <= spec.atMostMs
  return {
    lines: [`${show(time, 0)} ms; target ${spec.atMostMs} ms: ${reached ? 'reached' : 'MISSED'}`],
    broken: [],
    missed: reached ? [] : [`${spec.name}: ${time.median.toFixed(0)} ms, not ${spec.atMostMs} ms`],
    figures: { startMs: time },
  }
}

/**
 * Both loads move the same bytes, so whatever differs is due to the number of records. Buffers are not in it: they follow
 * the bytes.
 */
export async function allocation(spec: Allocation, pace: Pace): Promise<Outcome> {
  const broken: string[] = []
  const perRequest: number[] = []
  for (const load of spec.loads) {
    const options = { mode: 'pass', processors: {}, nodeOptions: ['--trace-gc'] } as const
    const { result, totals } = await underLoad('sluice', load, options, async (running, client) => {
      await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
      running.takeOutput()
      const window = await client.measure(running.pid, pace.windowMs)
      return { window, heap: heapAllocated(running.takeOutput()) }
    })
    broken.push(...unaccounted('sluice', result.window, totals))
    if (result.heap === undefined) {
      const unknown = `${spec.name}: no thread collected garbage twice in the window; take more --seconds`
      return { lines: [unknown], broken, missed: [unknown], figures: {} }
    }
    perRequest.push(result.heap.bytesPerMs / (result.window.requests / result.window.ms))
  }
  const [few, many] = perRequest as [number, number]
  const growth = (many - few) / (spec.loads[1].spans - spec.loads[0].spans)
  const reached = growth <= spec.atMostPerItem
  return {
    lines: [
      ...spec.loads.map(
        ({ spans }, i) => `${spans} spans a request: ${(perRequest[i]! / 1024).toFixed(1)} KiB of heap per request`,
      ),
      `one more span costs ${growth.toFixed(2)} bytes; target ${spec.atMostPerItem}: ${reached ? 'reached' : 'MISSED'}`,
    ],
    broken,
    missed: reached ? [] : [`${spec.name}: ${growth.toFixed(2)} bytes per span, not ${spec.atMostPerItem}`],
    figures: { heapBytesPerRequest: perRequest, heapBytesPerSpan: growth },
  }
}
