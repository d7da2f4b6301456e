import type { Soak, Throughput } from '../cases.ts'
import type { Engine } from '../engines.ts'
import { between, deliveredIn, figuresOf, type Outcome, type Pace, Runs, unaccounted } from './run.ts'

/** CPU per item, latency and memory at a steady load. */
export async function throughput(spec: Throughput | Soak, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  const runs = new Runs()
  const broken: string[] = []
  const soaks = spec.kind === 'soak'
  const { load, sink, pipeline, accounting } = spec
  for (let repeat = 0; repeat < (soaks ? 1 : pace.repeats); repeat++) {
    for (const engine of engines) {
      await between(engine, pipeline, load, sink, async (running, client) => {
        await client.begin(running.port, load)
        await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
        running.takeOutput()
        const window = await client.measure(running.pid, soaks ? pace.soakMs : pace.windowMs)
        const output = running.takeOutput()
        const totals = await client.drain()
        const { latency, memory } = window
        const figures = figuresOf(window, totals, output)
        const growth = soaks ? { rss_growth: growthOf(memory.map(({ rssMib }) => rssMib)) } : {}
        runs.add(engine, { figures: { ...figures, ...growth }, latency, memory })
        broken.push(...unaccounted(engine, accounting, deliveredIn(window, totals), totals))
      })
    }
  }
  return { results: runs.results(), notes: [], broken, missed: [] }
}

/** The mean of the last quarter over that of the second: the first is warm-up. */
export function growthOf(rss: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(rss.length / 4))
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const second = rss.length < 4 ? rss : rss.slice(quarter, 2 * quarter)
  return mean(rss.slice(-quarter)) / mean(second)
}
