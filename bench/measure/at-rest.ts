/** Engines without a load: how long they take to start, and what they need to do nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkoutBundle } from '../../tools/bundle/checkout.ts'
import type { Idle, Start } from '../cases.ts'
import type { Engine } from '../engines.ts'
import { cpuMicros, peakRssMib, rssMib } from '../load/usage.ts'
import { type RunningEngine, startEngine } from '../processes.ts'
import type { Figures } from '../report/figures.ts'
import { type Outcome, type Pace, Runs } from './run.ts'

/** Starts are short: more of them than of the rest. */
const STARTS_PER_REPEAT = 3

export function start(spec: Start, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  const repeats = pace.repeats * (pace.repeats === 1 ? 1 : STARTS_PER_REPEAT)
  return each(spec.pipeline, engines, repeats, ({ startMs }) => Promise.resolve({ start_ms: startMs }))
}

export function idle(spec: Idle, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  return each(spec.pipeline, engines, pace.repeats, async ({ pid, startMs }) => {
    // What a start leaves behind is not idling.
    await sleep(pace.settleMs)
    const from = { cpu: cpuMicros(pid), ms: performance.now() }
    await sleep(pace.settleMs * 2)
    const cpu = cpuMicros(pid) - from.cpu
    return {
      start_ms: startMs,
      cpu_percent: cpu / (performance.now() - from.ms) / 10,
      peak_rss_mib: Math.max(peakRssMib(pid), rssMib(pid)),
    }
  })
}

async function each(
  pipeline: string,
  engines: readonly Engine[],
  repeats: number,
  read: (running: RunningEngine) => Promise<Figures>,
): Promise<Outcome> {
  // As `npm ci` leaves it, whatever was edited since.
  await checkoutBundle()
  const runs = new Runs()
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const engine of engines) {
      // Nobody listens at port 1: an exporter's peer has no part in it.
      const running = await startEngine(engine, { pipeline, outPort: 1, protocol: 'grpc' }, true)
      try {
        runs.add(engine, { figures: await read(running) })
      } finally {
        await running.stop()
      }
    }
  }
  return { results: runs.results(), notes: [], broken: [], missed: [] }
}
