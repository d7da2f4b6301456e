import type { Overload } from '../cases.ts'
import type { Engine } from '../engines.ts'
import { between, defined, deliveredIn, figuresOf, type Outcome, type Pace, Runs, unaccounted } from './run.ts'

/** Of what the sink takes, offered to find out what memory is needed where nothing piles up. */
const CALM = 0.95
/** The fewest clients that keep the sink busy whatever happens: queues are full, and nobody is turned away for long. */
const AT_THE_KNEE = { connections: 4, inFlight: 1 }

/**
 * Idle, then a little less than the sink takes, then the least that saturates it, then all that the clients can, then nothing again: each
 * with its memory.
 */
export async function overload(spec: Overload, engines: readonly Engine[], pace: Pace): Promise<Outcome> {
  const runs = new Runs()
  const broken: string[] = []
  const { sink, pipeline } = spec
  const load = {
    ...spec.load,
    connections: Math.min(spec.load.connections, pace.crowd.connections),
    inFlight: Math.min(spec.load.inFlight, pace.crowd.inFlight),
  }
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    for (const engine of engines) {
      await between(engine, pipeline, load, sink, async (running, client) => {
        const idle = await client.measure(running.pid, pace.settleMs)
        await client.begin(running.port, { ...load, inFlight: 1, itemsPerSecond: sink.itemsPerSecond * CALM })
        await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
        const calm = await client.measure(running.pid, pace.windowMs)
        const before = await client.drain()
        await client.begin(running.port, { ...load, ...AT_THE_KNEE })
        const knee = await client.measure(running.pid, pace.windowMs)
        const saturated = await client.drain()
        await client.begin(running.port, load)
        running.takeOutput()
        const window = await client.measure(running.pid, pace.overloadMs)
        const output = running.takeOutput()
        const totals = await client.drain()
        const after = await client.measure(running.pid, pace.restMs)
        const figures = defined({
          ...figuresOf(window, totals, output),
          delivered_share: window.items / ((sink.itemsPerSecond * window.ms) / 1000),
          refused_requests: totals.refused,
          refused_with_delay_share: totals.refused === 0 ? 1 : totals.refusedWithDelay / totals.refused,
          timed_out_requests: totals.timedOut,
          rss_over_knee: ratio(highest(window.memory), highest(knee.memory)),
          rss_over_calm: ratio(highest(window.memory), highest(calm.memory)),
          rss_after_over_idle: ratio(after.memory.at(-1)?.rssMib, idle.memory.at(-1)?.rssMib),
        })
        runs.add(engine, { figures, latency: window.latency, memory: window.memory })
        broken.push(...unaccounted(engine, 'kept', deliveredIn(calm, before), before))
        broken.push(...unaccounted(engine, 'kept', deliveredIn(knee, saturated), saturated))
        // A peer that lets nothing through under load is a figure, not a broken run.
        broken.push(...unaccounted(engine, 'kept', engine === 'sluice' ? totals.delivered : 1, totals))
      })
    }
  }
  return { results: runs.results(), notes: [], broken, missed: [] }
}

function highest(memory: readonly { readonly rssMib: number }[]): number | undefined {
  return memory.length === 0 ? undefined : Math.max(...memory.map(({ rssMib }) => rssMib))
}

function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other
}
