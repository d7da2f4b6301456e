import type { Throughput } from '../cases.ts'
import type { Engine } from '../engines.ts'
import { between, deliveredIn, figuresOf, type Outcome, type Pace, Runs, unaccounted } from './run.ts'

/** CPU per item, latency and memory at a steady load. */
export async function throughput(spec: Throughput, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  const runs = new Runs()
  const broken: string[] = []
  const { load, sink, pipeline, accounting } = spec
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    for (const engine of engines) {
      await between(engine, pipeline, load, sink, async (running, client) => {
        await client.begin(running.port, load)
        await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
        running.takeOutput()
        const window = await client.measure(running.pid, pace.windowMs)
        const output = running.takeOutput()
        const totals = await client.drain()
        const { latency, memory } = window
        runs.add(engine, { figures: figuresOf(window, totals, output), latency, memory })
        broken.push(...unaccounted(engine, accounting, deliveredIn(window, totals), totals))
      })
    }
  }
  return { results: runs.results(), notes: [], broken, missed: [] }
}
