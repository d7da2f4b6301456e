import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { accepts, freePort } from '../../test/support/ports.ts'
import type { Load } from '../load/protocol.ts'
import { LoadProcess } from '../processes.ts'

/*
 * How evenly two lanes work when few clients send more than one lane can do: `tools/node bench/lanes/spread.ts [repetitions]`. The kernel gives
 * connections to lanes by chance, so each repetition is another case. Offered is 1.5 times what one lane carried just before. Shares are of
 * the lanes' CPU; wall-clock figures mean nothing here, for load and lanes share the processors. Ends with 1 where a median misses its target.
 */

const repetitions = Number(process.argv[2] ?? 5)
const CASES = [
  { connections: 4, target: 0.7 },
  { connections: 16, target: 0.6 },
]
const OFFERED = 1.5
const SETTLE_MS = 4000
const MEASURE_MS = 5000
const SHAPE = { protocol: 'grpc', signal: 'traces', items: 100, itemBytes: 500, inFlight: 8 } as const

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

interface Engine {
  readonly port: number
  /** Seconds of CPU of each lane, and batches that lanes gave to each other. */
  read(): Promise<{ readonly cpu: readonly number[]; readonly given: number }>
  readonly pid: number
  stop(): Promise<void>
}

async function start(lanes: number): Promise<Engine> {
  const [port, metrics] = [await freePort(), await freePort()]
  const args = [path('../../src/cli/main.ts'), 'run', '--lanes', String(lanes), path('heavy.yaml')]
  const env = { ...process.env, IN: `127.0.0.1:${port}`, METRICS: String(metrics) }
  const child = spawn(process.execPath, args, { stdio: 'ignore', env })
  while (!(await accepts(port))) await sleep(20)
  // Till the other lanes listen as well.
  await sleep(1500)
  return {
    port,
    pid: child.pid!,
    async read() {
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
      const values = (pattern: RegExp): number[] => [...text.matchAll(pattern)].map(([, value]) => Number(value))
      const given = values(/^sluice_lane_given_batches(?:_total)?(?:\{[^}]*\})? (\S+)$/gm)
      return {
        cpu: values(/^sluice_thread_cpu_seconds(?:_total)?\{[^}]*thread="lane-\d+"[^}]*\} (\S+)$/gm),
        given: given.reduce((a, b) => a + b, 0),
      }
    },
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Runs a load for the time of a measurement; gives CPU by lane, items and batches given. */
async function run(lanes: number, load: Load): Promise<{ cpu: number[]; items: number; given: number }> {
  const engine = await start(lanes)
  const clients = await LoadProcess.start({ protocol: 'grpc' })
  try {
    await clients.begin(engine.port, load)
    await sleep(SETTLE_MS)
    const before = await engine.read()
    const { acknowledged } = await clients.measure(engine.pid, MEASURE_MS)
    const after = await engine.read()
    const cpu = after.cpu.map((seconds, lane) => seconds - before.cpu[lane]!)
    return { cpu, items: acknowledged, given: after.given - before.given }
  } finally {
    await clients.stop()
    await engine.stop()
  }
}

const median = (samples: readonly number[]): number => samples.toSorted((a, b) => a - b)[samples.length >> 1]!
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

let missed = false
for (const { connections, target } of CASES) {
  const shares: number[] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const alone = await run(1, { ...SHAPE, connections })
    const itemsPerSecond = Math.round(alone.items / (MEASURE_MS / 1000)) * OFFERED
    const { cpu, items, given } = await run(2, { ...SHAPE, connections, itemsPerSecond })
    const share = Math.max(...cpu) / cpu.reduce((a, b) => a + b, 0)
    shares.push(share)
    console.log(
      `${connections} connections: ${cpu.map((seconds) => seconds.toFixed(1)).join(' and ')} s of CPU, the busier ${percent(share)}; ` +
        `${given} of ${Math.round(items / SHAPE.items)} batches given; one lane took ${alone.cpu[0]!.toFixed(1)} s for ${alone.items} items, two ${percent(cpu.reduce((a, b) => a + b, 0) / items / (alone.cpu[0]! / alone.items))} of that an item`,
    )
  }
  const reached = median(shares) <= target
  missed ||= !reached
  console.log(
    `${connections} connections: the busier lane takes ${percent(median(shares))}, target ${percent(target)}: ${reached ? 'reached' : 'MISSED'}`,
  )
}
if (missed) process.exitCode = 1
