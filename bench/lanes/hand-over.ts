import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { systemClock } from '../../src/clock.ts'
import { deliver } from '../../src/component/delivery.ts'
import { Mesh } from '../../src/lanes/mesh.ts'
import { arenas } from '../../src/otlp/arena.ts'
import { makeBatch } from '../../src/otlp/batch.ts'

/*
 * What handing a batch to another lane costs, CPU of both threads together, from `give` to the outcome, memory back in the pool:
 * `tools/node bench/lanes/hand-over.ts [rounds]`. Ends with 1 where a run of enough rounds misses the target.
 */

const BYTES = 64 * 1024
/** As many batches as are under way at a time. */
const PIPELINED = 16
const BATCHES = 4000
const rounds = Number(process.argv[2] ?? 15)
const TARGET_US = 10
const ENOUGH_ROUNDS = 5

const { port1, port2 } = new MessageChannel()
const bare = new MessageChannel()
const worker = new Worker(new URL('./taker.ts', import.meta.url), {
  workerData: { port: port2, bare: bare.port2 },
  transferList: [port2, bare.port2],
})
await once(worker, 'online')
const mesh = new Mesh({ lane: 0, lanes: 2, clock: systemClock })
mesh.connect(1, port1)
port1.ref()

/** Microseconds of CPU that the other thread has had. */
async function otherCpu(): Promise<number> {
  worker.postMessage('cpu')
  const [used] = (await once(worker, 'message')) as [number]
  return used
}

/** Hands `BATCHES` over, `PIPELINED` at a time; `sole` takes their memory along, else they are copied. */
function run(sole: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let given = 0
  let settled = 0
  const give = (): void => {
    given++
    const chunk = arenas.take(BYTES)
    const batch = makeBatch('traces', [chunk], 130, { transport: 'grpc', peer: '127.0.0.1:40000', arrivedAt: 1 })
    const delivery = deliver(batch, {
      settled() {
        arenas.release(chunk)
        if (++settled === BATCHES) resolve()
        else if (given < BATCHES) give()
      },
    })
    mesh.give(1, 'here', delivery, sole)
  }
  for (let i = 0; i < PIPELINED; i++) give()
  return promise
}

/** The yardstick: an ArrayBuffer there and back, and nothing else. */
function runBare(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let given = 0
  let back = 0
  const give = (memory: ArrayBuffer): void => {
    given++
    bare.port1.postMessage(memory, [memory])
  }
  bare.port1.removeAllListeners('message')
  bare.port1.on('message', (memory: ArrayBuffer) => {
    if (++back === BATCHES) resolve()
    else if (given < BATCHES) give(memory)
  })
  for (let i = 0; i < PIPELINED; i++) give(new ArrayBuffer(BYTES))
  return promise
}

const cases = [
  { name: 'memory goes along', work: () => run(true), samples: [] as number[], here: [] as number[] },
  { name: 'copied', work: () => run(false), samples: [] as number[], here: [] as number[] },
  { name: 'bare transfer', work: runBare, samples: [] as number[], here: [] as number[] },
]
for (const { work } of cases) await work()
for (let round = 0; round < rounds; round++) {
  for (const { work, samples, here } of cases) {
    const other = await otherCpu()
    const start = process.threadCpuUsage()
    await work()
    const { user, system } = process.threadCpuUsage(start)
    const there = (await otherCpu()) - other
    here.push((user + system) / BATCHES)
    samples.push((user + system + there) / BATCHES)
  }
}

const median = (samples: readonly number[]): number => samples.toSorted((a, b) => a - b)[samples.length >> 1]!
console.log(`${BYTES >> 10} KiB a batch, ${PIPELINED} under way, CPU µs/batch: median (min to max) of ${rounds} rounds`)
for (const { name, samples, here } of cases) {
  const spread = `(${Math.min(...samples).toFixed(1)} to ${Math.max(...samples).toFixed(1)})`
  console.log(
    `${name.padEnd(20)}${median(samples).toFixed(1).padStart(6)} ${spread.padEnd(16)} of them ${median(here).toFixed(1)} with the giver`,
  )
}
console.log(`unused in the giver's pool: ${arenas.idleBytes >> 10} KiB, in use: ${arenas.held}`)
const reached = median(cases[0]!.samples) <= TARGET_US
const times = (median(cases[0]!.samples) / median(cases[2]!.samples)).toFixed(2)
console.log(`a hand-over is ${times} times a bare transfer there and back`)
console.log(`a hand-over takes at most ${TARGET_US} µs: ${reached ? 'reached' : 'MISSED'}`)
if (!reached && rounds >= ENOUGH_ROUNDS) process.exitCode = 1
mesh.close()
bare.port1.close()
await worker.terminate()
