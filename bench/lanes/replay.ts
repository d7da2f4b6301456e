/*
 * Does a second lane do a second lane's work? Requests are replayed inside the lanes, decompressed, validated, edited and compressed, with no
 * sockets and zlib in the lane's own thread, so that nothing but lanes takes the machine's cores: `tools/node bench/lanes/replay.ts [rounds]`. The one figure
 * here that is wall time. Ends with 1 where a run of enough rounds misses the target.
 */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { runLanes } from '../../test/lanes/support/run-lanes.ts'
import { spread } from '../report/statistics.ts'

const rounds = Number(process.argv[2] ?? 7)
const WARM_UP_MS = 2000
const MEASURE_MS = 3000
const TARGET = 1.6
const ENOUGH_ROUNDS = 5

const PIPELINE = {
  receivers: { replay: {} },
  processors: {
    attributes: {
      actions: [
        { key: 'cluster', value: 'bench-1', action: 'insert' },
        { key: 'user_agent.original', action: 'delete' },
      ],
    },
  },
  exporters: { squeeze: {} },
  service: { pipelines: { traces: { receivers: ['replay'], processors: ['attributes'], exporters: ['squeeze'] } } },
}

/** Spans a second that so many lanes get through. */
async function rate(lanes: number): Promise<number> {
  const running = await runLanes(PIPELINE, { lanes, components: new URL('./components.ts', import.meta.url).href })
  const sent = (): number => running.ledger().reduce((sum, row) => sum + row.sent, 0)
  await sleep(WARM_UP_MS)
  const before = sent()
  const begun = performance.now()
  await sleep(MEASURE_MS)
  const items = sent() - before
  const ms = performance.now() - begun
  await running.supervisor.stop(5000)
  return (items * 1000) / ms
}

const ratios: number[] = []
for (let round = 0; round < rounds; round++) {
  const one = await rate(1)
  const two = await rate(2)
  ratios.push(two / one)
  console.log(`one lane ${Math.round(one / 1000)} k spans/s, two ${Math.round(two / 1000)} k`)
}
const { median, min, max } = spread(ratios)
const reached = median >= TARGET
console.log(
  `two lanes get ${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)}) times as much done as one, on ${availableParallelism()} cores; ` +
    `target ≥ ${TARGET}: ${reached ? 'reached' : 'MISSED'}`,
)
if (!reached && rounds >= ENOUGH_ROUNDS) process.exitCode = 1
