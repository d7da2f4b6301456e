import type { Soak } from '../cases.ts'
import type { Engine } from '../engines.ts'
import type { Load } from '../load/protocol.ts'
import { between, deliveredIn, figuresOf, type Outcome, type Pace, Runs, unaccounted } from './run.ts'

/** A share of what one core does, as an open loop, for long: does memory grow? */
export async function soak(spec: Soak, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  const runs = new Runs()
  const notes: string[] = []
  const broken: string[] = []
  const { load, sink, pipeline, accounting } = spec
  for (const engine of engines) {
    await between(engine, pipeline, load, sink, async (running, client) => {
      const { pid, port } = running
      await client.begin(port, load)
      await client.warm(pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
      const all = await client.measure(pid, pace.windowMs)
      const before = await client.drain()
      broken.push(...unaccounted(engine, accounting, deliveredIn(all, before), before))
      if (all.items === 0) return
      const itemsPerSecond = (spec.shareOfACore * 1e6 * all.items) / all.cpuMicros
      const slow: Load = { ...load, inFlight: load.inFlight * 4, itemsPerSecond }
      await client.begin(port, slow)
      running.takeOutput()
      const window = await client.measure(pid, pace.soakMs)
      const output = running.takeOutput()
      const totals = await client.drain()
      const { latency, memory } = window
      const rss_growth = growthOf(memory.map(({ rssMib }) => rssMib))
      runs.add(engine, { figures: { ...figuresOf(window, totals, output), rss_growth }, latency, memory })
      broken.push(...unaccounted(engine, accounting, deliveredIn(window, totals), totals))
      const minutes = (window.ms / 60_000).toFixed(1)
      notes.push(
        `${engine}: ${Math.round(itemsPerSecond)} items a second for ${minutes} minutes, ${totals.delivered} in all; ` +
          `memory ${rss_growth.toFixed(3)} times that of the second quarter in the last`,
      )
    })
  }
  return { results: runs.results(), notes, broken, missed: [] }
}

/** The mean of the last quarter over that of the second: the first is warm-up. */
export function growthOf(rss: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(rss.length / 4))
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const second = rss.length < 4 ? rss : rss.slice(quarter, 2 * quarter)
  return mean(rss.slice(-quarter)) / mean(second)
}
