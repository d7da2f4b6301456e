/** Processes that a bench starts: engines on core 0, the load on core 1, each ended by its own pid. */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { accepts, freePort } from '../test/support/ports.ts'
import { COMPILED, type Engine, launcherOf, type Place, startOf } from './engines.ts'
import type { Command, Load, Reply, SinkOptions, Totals, Window } from './load/protocol.ts'

const LOAD = fileURLToPath(new URL('load/process.ts', import.meta.url))
const READY_WITHIN_MS = 30_000
const STOPPED_WITHIN_MS = 15_000

/** True where engines and load have a core each; else the figures are for orientation only. */
export const PINNED = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

let pinned = PINNED
let started = 0

let hurried = false

/**
 * From now on engines take turns with the cores, the load is anywhere, and Sluice starts as people start it, in half the time and without
 * a word about its heap: for runs that measure nothing, several at a time.
 */
export function hurry(): void {
  pinned = false
  hurried = true
}

/** A command on the core of engines (0) or of the load (1). */
export function onCore(core: 0 | 1, command: readonly string[]): readonly string[] {
  if (!PINNED || (!pinned && core === 1)) return command
  // Where it had both cores Sluice would run two lanes, which take twice the start.
  return ['taskset', '-c', String(pinned ? core : started++ % 2), ...command]
}

/** Moves a process, with all its threads, to the core of the load. */
export function besideLoad(pid: number): void {
  if (pinned) spawnSync('taskset', ['-a', '-p', '-c', '1', String(pid)])
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

/** Starts an engine and waits until it accepts connections. `launched`: as people start it, and without a word about its heap. */
export async function startEngine(
  engine: Engine,
  options: Omit<Place, 'port' | 'metricsPort'>,
  launched = false,
): Promise<RunningEngine> {
  const place = { ...options, port: await freePort(), metricsPort: await freePort() }
  const { command, env } = (launched || hurried) && engine === 'sluice' ? launcherOf(place) : startOf(engine, place)
  const [program, ...args] = onCore(0, command)
  const begun = performance.now()
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const failed = once(child, 'error').then(([error]) => {
    output += String(error)
  })
  try {
    await Promise.race([listens(place.port, child, () => output), failed.then(() => Promise.reject(new Error(output)))])
  } catch (error) {
    await end(child)
    throw error
  }
  return {
    pid: child.pid!,
    port: place.port,
    startMs: performance.now() - begun,
    takeOutput() {
      const taken = output
      output = ''
      return taken
    },
    stop: () => end(child),
  }
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
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
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

  static async start(sink: SinkOptions): Promise<LoadProcess> {
    const child = fork(LOAD, { env: { ...COMPILED, ...process.env } })
    besideLoad(child.pid!)
    const { port } = await ask<{ port: number }>(child, { do: 'listen', sink })
    return new LoadProcess(child, port)
  }

  async begin(port: number, load: Load): Promise<void> {
    await ask(this.#child, { do: 'start', port, load })
  }

  /** Lets the load run until the engine has worked for so long. */
  async warm(pid: number, cpuMs: number, atMostMs: number): Promise<void> {
    await ask(this.#child, { do: 'warm', pid, cpuMs, atMostMs })
  }

  measure(pid: number, ms: number): Promise<Window> {
    return ask(this.#child, { do: 'measure', pid, ms })
  }

  /** Lets what is in flight finish and gives the totals since `begin`. */
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
      const failed = (message as { readonly failed?: string }).failed
      if (failed === undefined) resolve(message as R)
      else reject(new Error(`the load process: ${failed}`))
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
