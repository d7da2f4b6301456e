import type { Throughput } from '../cases.ts'
import type { Engine } from '../engines.ts'
import { type Generator, generate } from '../generators.ts'
import { type EngineResult, ratiosOf } from '../report/figures.ts'
import { show, spread } from '../report/statistics.ts'
import { between, figuresOf, type Outcome, type Pace, Runs } from './run.ts'
import { throughput } from './throughput.ts'

/** Two generators that find the same engine this far apart do not agree. */
const AGREE_WITHIN = 0.15

/**
 * A case with our generator and with one of others, which takes its turn after it. The sink is ours in both.
 */
export async function agreement(
  spec: Throughput,
  engines: readonly Engine[],
  generator: Generator,
  pace: Pace,
): Promise<Outcome> {
  const runs = new Runs()
  const ours = new Runs()
  const broken: string[] = []
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    const own = await throughput(spec, engines, { ...pace, repeats: 1 })
    for (const { engine, runs } of own.results) for (const run of runs) ours.add(engine as Engine, run)
    broken.push(...own.broken)
    for (const engine of engines) {
      await between(engine, spec.pipeline, spec.load, spec.sink, async (running, client) => {
        // It runs for longer than warm-up and window take at most, and is not asked to stop.
        const generated = generate(
          generator,
          running.port,
          spec.load,
          (pace.warmUp.atMostMs + pace.windowMs) / 1000 + 1,
        )
        // A failure of the generator is told by the wait for it below.
        generated.catch(() => {})
        await client.warm(running.pid, pace.warmUp.cpuMs, pace.warmUp.atMostMs)
        running.takeOutput()
        const window = await client.measure(running.pid, pace.windowMs)
        const output = running.takeOutput()
        const { acknowledged, failed } = await generated
        const totals = await client.drain()
        const items = acknowledged * spec.load.items
        const seen = { ...totals, sent: items, acknowledged: items }
        if (failed > 0) broken.push(`${engine} under ${generator}: ${failed} requests failed`)
        if (items > totals.delivered) {
          broken.push(`${engine} under ${generator}: acknowledged ${items}, delivered ${totals.delivered}`)
        }
        const {
          p50_ms: _50,
          p99_ms: _99,
          p999_ms: _999,
          acked_per_s: _acked,
          ...figures
        } = figuresOf(window, seen, output)
        runs.add(engine, { figures, memory: window.memory })
      })
    }
  }
  const [own, others] = [ours.results(), runs.results()]
  const notes = engines.flatMap((engine) => {
    const of = (results: readonly EngineResult[]) => results.find((result) => result.engine === engine)?.runs ?? []
    const ratios = ratiosOf('cpu_us_per_item', of(others), of(own))
    if (ratios.length === 0) return []
    const ratio = spread(ratios)
    const verdict = Math.abs(ratio.median - 1) <= AGREE_WITHIN ? 'agree' : 'DO NOT AGREE'
    return [
      `${engine}: with ${generator} an item costs ${show(ratio, 2)} times what it does with our generator: ${verdict} within ${AGREE_WITHIN * 100} %`,
    ]
  })
  return {
    results: [...own, ...others.map(({ engine, runs }) => ({ engine: `${engine} (${generator})`, runs }))],
    notes,
    broken,
    missed: notes.filter((note) => note.includes('DO NOT')).map((note) => `${spec.name}: ${note}`),
  }
}
