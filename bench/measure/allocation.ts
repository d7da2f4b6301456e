import type { Allocation } from '../cases.ts'
import type { EngineResult } from '../report/figures.ts'
import { heapAllocated } from './heap.ts'
import { between, defined, deliveredIn, figuresOf, type Outcome, type Pace, unaccounted } from './run.ts'

/**
 * Both loads move the same bytes, so whatever differs is due to the number of records. Buffers are not in it: they follow
 * the bytes.
 */
export async function allocation(spec: Allocation, pace: Pace): Promise<Outcome> {
  const broken: string[] = []
  const results: EngineResult[] = []
  const perRequest: number[] = []
  const unknown = `${spec.name}: no thread collected garbage twice in the window; take more --seconds`
  for (const load of spec.loads) {
    await between('sluice', spec.pipeline, load, undefined, async (running, client) => {
      await client.begin(running.port, load)
      await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
      running.takeOutput()
      const window = await client.measure(running.pid, pace.windowMs)
      const output = running.takeOutput()
      const totals = await client.drain()
      broken.push(...unaccounted('sluice', 'exact', deliveredIn(window, totals), totals))
      const heap = heapAllocated(output)
      const bytes = heap === undefined ? undefined : heap.bytesPerMs / (window.requests / window.ms)
      if (bytes !== undefined) perRequest.push(bytes)
      const figures = defined({ ...figuresOf(window, totals, output), heap_bytes_per_request: bytes })
      const engine = `sluice (${load.items} spans a request)`
      results.push({ engine, runs: [{ figures, latency: window.latency, memory: window.memory }] })
    })
  }
  const [few, many] = perRequest
  if (few === undefined || many === undefined) return { results, notes: [unknown], broken, missed: [unknown] }
  const growth = (many - few) / (spec.loads[1].items - spec.loads[0].items)
  const reached = growth <= spec.atMostPerItem
  const text = `one more span costs ${growth.toFixed(2)} bytes; target ≤ ${spec.atMostPerItem}`
  return {
    results,
    notes: [
      ...spec.loads.map(
        ({ items }, i) => `${items} spans a request: ${(perRequest[i]! / 1024).toFixed(1)} KiB of heap per request`,
      ),
      `${text}: ${reached ? 'reached' : 'MISSED'}`,
    ],
    broken,
    missed: reached ? [] : [`${spec.name}: ${text}`],
  }
}
