/** Processes that a bench starts: engines on core 0, the load on core 1, each ended by its own pid. */
import { type ChildProcess, fork, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isInstalled, pathOf } from '../test/interop/peers/peer.ts'
import { otelcol } from '../test/interop/peers/registry.ts'
import { accepts, freePort } from '../test/support/ports.ts'
import type { Engine } from './cases.ts'
import type { Command, Reply, Totals, Window } from './load.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const LAUNCHER = path('../sluice')
const MAIN = path('../src/cli/main.ts')
const READY_WITHIN_MS = 30_000
const STOPPED_WITHIN_MS = 10_000

const pins = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

/** True where engines and load have a core each; else the figures are for orientation only. */
export const PINNED = pins

function onCore(core: number, command: readonly string[]): [string, string[]] {
  const [program, ...args] = pins ? ['taskset', '-c', String(core), ...command] : command
  return [program!, args]
}

export interface EngineOptions {
  readonly outPort: number
  readonly mode: 'pass' | 'edit'
  readonly processors: Readonly<Record<string, unknown>>
  /** Node's own options; Sluice is then started without its launcher. */
  readonly nodeOptions?: readonly string[]
}

export interface RunningEngine {
  readonly pid: number
  readonly port: number
  /** From exec to the first accepted connection. */
  readonly startMs: number
  /** What it printed since it was last asked. */
  takeOutput(): string
  stop(): Promise<void>
}

/** Starts an engine and waits until it accepts connections. */
export async function startEngine(engine: Engine, options: EngineOptions): Promise<RunningEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const port = await freePort()
  const begun = performance.now()
  const child = spawn(...onCore(0, commandOf(engine, folder, port, options)), {
    stdio: ['ignore', 'pipe', 'pipe'] satisfies StdioOptions,
    // One core is one thread's worth: else Go's collector of garbage takes turns with itself.
    env: { ...process.env, ...(engine === 'otelcol' && { GOMAXPROCS: '1' }) },
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const stop = async (): Promise<void> => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await listens(port, child, () => output)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    pid: child.pid!,
    port,
    startMs: performance.now() - begun,
    takeOutput() {
      const taken = output
      output = ''
      return taken
    },
    stop,
  }
}

/** Why an engine cannot be run here. */
export function missing(engine: Engine): string | undefined {
  if (engine !== 'otelcol' || isInstalled(otelcol)) return undefined
  return 'no Go Collector; tools/node test/interop/install-peers.ts otelcol installs it'
}

function commandOf(engine: Engine, folder: string, port: number, options: EngineOptions): string[] {
  const { outPort, mode, nodeOptions } = options
  switch (engine) {
    case 'sluice': {
      const file = configuration(folder, port, options)
      return nodeOptions ? [process.execPath, ...nodeOptions, MAIN, 'run', file] : [LAUNCHER, 'run', file]
    }
    case 'otelcol':
      return [pathOf(otelcol), `--config=${configuration(folder, port, options)}`]
    case 'protobufjs':
    case 'grpc-raw':
      return [process.execPath, path(`baselines/${engine}.ts`), String(port), String(outPort), mode]
  }
}

/** Sluice's configuration and the Collector's. */
function configuration(folder: string, port: number, { outPort, processors }: EngineOptions): string {
  const file = join(folder, 'pipeline.yaml')
  // JSON is YAML: nothing to format.
  const pipeline = {
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
    processors,
    exporters: {
      otlp_grpc: {
        endpoint: `127.0.0.1:${outPort}`,
        tls: { insecure: true },
        compression: 'none',
        sending_queue: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], processors: Object.keys(processors), exporters: ['otlp_grpc'] },
      },
    },
  }
  writeFileSync(file, JSON.stringify(pipeline, null, 2))
  return file
}

/** Polls in a tight loop: its grain, about a millisecond, is what the start case resolves. */
async function listens(port: number, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  for (;;) {
    if (await accepts(port)) return
    if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}:\n${output()}`)
    if (performance.now() > deadline) throw new Error(`the engine does not listen on ${port}:\n${output()}`)
    await sleep(1)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const forced = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS)
  await exited
  clearTimeout(forced)
}

/** The load process, one command at a time. */
export class LoadProcess {
  readonly #child: ChildProcess
  readonly sinkPort: number

  private constructor(child: ChildProcess, sinkPort: number) {
    this.#child = child
    this.sinkPort = sinkPort
  }

  static async start(): Promise<LoadProcess> {
    const child = fork(path('load.ts'))
    if (pins) spawnSync('taskset', ['-a', '-p', '-c', '1', String(child.pid)])
    const { port } = await ask<{ port: number }>(child, { do: 'listen' })
    return new LoadProcess(child, port)
  }

  async begin(command: Omit<Extract<Command, { do: 'start' }>, 'do'>): Promise<void> {
    await ask(this.#child, { do: 'start', ...command })
  }

  /** Lets the load run until the engine has worked for so long. */
  async warm(pid: number, cpuMs: number, atMostMs: number): Promise<void> {
    await ask(this.#child, { do: 'warm', pid, cpuMs, atMostMs })
  }

  measure(pid: number, ms: number): Promise<Window> {
    return ask(this.#child, { do: 'measure', pid, ms })
  }

  /** Lets what is in flight finish and gives the totals since the start. */
  drain(): Promise<Totals> {
    return ask(this.#child, { do: 'drain' })
  }

  stop(): Promise<void> {
    return end(this.#child)
  }
}

/** Each command is answered by one message; no listener outlives its answer. */
function ask<R extends Reply>(child: ChildProcess, command: Command): Promise<R> {
  return new Promise((resolve, reject) => {
    const answered = (message: unknown): void => {
      child.off('exit', gone)
      resolve(message as R)
    }
    const gone = (): void => {
      child.off('message', answered)
      reject(new Error('the load process ended'))
    }
    child.once('message', answered)
    child.once('exit', gone)
    child.send(command)
  })
}
