/**
 * Both ends of a bench in one process: clients in front of the engine and the sink behind it. The runner talks to it over the
 * IPC channel: one `Command` in, one `Reply` out.
 */
import { Driver } from './driver.ts'
import type { Command, Reply, Sample, Window } from './protocol.ts'
import { Sink } from './sink.ts'
import { cpuMicros, peakRssMib, rssMib } from './usage.ts'

const SAMPLE_MS = 100

let sink: Sink | undefined
let driver: Driver | undefined

/** By the engine's own CPU time, so that it is as warm on a busy machine as on an idle one. */
async function warm({ pid, cpuMs, atMostMs }: Extract<Command, { do: 'warm' }>): Promise<void> {
  const began = performance.now()
  const cpu = cpuMicros(pid)
  while (cpuMicros(pid) - cpu < cpuMs * 1000 && performance.now() - began < atMostMs) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Counters and the engine's CPU are read in one go, so that both ends of the window are exact. */
function reading(pid: number): Omit<Window, 'latency' | 'peakRssMib' | 'memory'> {
  const own = process.cpuUsage()
  return {
    ms: performance.now(),
    cpuMicros: cpuMicros(pid),
    loadMicros: own.user + own.system,
    items: sink?.items ?? 0,
    acknowledged: driver?.acknowledged ?? 0,
    requests: driver?.answered ?? sink?.requests ?? 0,
    outBytes: sink?.bytes ?? 0,
  }
}

async function measure(pid: number, ms: number): Promise<Window> {
  const memory: Sample[] = []
  driver?.latency.reset()
  const from = reading(pid)
  const sampler = setInterval(() => {
    memory.push({ ms: performance.now() - from.ms, rssMib: rssMib(pid) })
  }, SAMPLE_MS)
  await new Promise((resolve) => setTimeout(resolve, ms))
  clearInterval(sampler)
  const to = reading(pid)
  return {
    ms: to.ms - from.ms,
    cpuMicros: to.cpuMicros - from.cpuMicros,
    loadMicros: to.loadMicros - from.loadMicros,
    items: to.items - from.items,
    acknowledged: to.acknowledged - from.acknowledged,
    requests: to.requests - from.requests,
    outBytes: to.outBytes - from.outBytes,
    latency: driver?.latency.data() ?? { buckets: [] },
    peakRssMib: peakRssMib(pid),
    memory,
  }
}

async function obey(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'listen':
      sink = new Sink(command.sink)
      return { port: await sink.listen() }
    case 'start':
      sink!.limit()
      driver = new Driver(command.port, command.load, sink!)
      driver.start()
      return { done: true }
    case 'warm':
      await warm(command)
      return { done: true }
    case 'measure':
      return measure(command.pid, command.ms)
    case 'drain': {
      if (driver !== undefined) return driver.drain()
      const delivered = sink?.items ?? 0
      return {
        sent: delivered,
        acknowledged: delivered,
        delivered,
        refused: 0,
        refusedWithDelay: 0,
        timedOut: 0,
        failures: [],
      }
    }
  }
}

process.on('message', (command: Command) => {
  obey(command).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
