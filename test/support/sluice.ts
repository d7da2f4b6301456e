import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './tree.ts'

export interface Listening {
  readonly component: string
  readonly transport: string
  readonly address: string
}

/** A running `sluice`, as somebody at a terminal sees it. */
export interface RunningSluice {
  readonly listening: readonly Listening[]
  /** The address where `component` listens by `transport`. */
  address(component: string, transport: string): string
  /** Everything it has printed so far, both streams. */
  readonly output: () => string
  /** Signals the command and what it started, as a terminal does; resolves with the exit code once all have ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The environment that `env` is added to; this process' own if absent. */
  readonly only?: Readonly<Record<string, string>>
  /** What to run; the launcher of this repository if absent. */
  readonly command?: string
  /** Seconds until it has to listen; more where the command installs first. */
  readonly patience?: number
}

const running = new Set<ChildProcess>()

/** Ends what a failed test left running. Call it in `afterEach`. */
export function endAll(): void {
  for (const child of running) signalGroup(child, 'SIGKILL')
}

/** Runs a command and waits until it says where it listens, in the JSON line that a log file would get. */
export async function startSluice(args: readonly string[], options: StartOptions = {}): Promise<RunningSluice> {
  const { cwd = root, env = {}, only = process.env, command = join(root, 'sluice'), patience = 20 } = options
  // A group of its own, so that a shell in between does not keep the signal to itself.
  const child = spawn(command, args, {
    cwd,
    env: { ...only, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  const listening = await new Promise<readonly Listening[]>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`${command} ${args.join(' ')} ${what}:\n${output}`))
    const timer = setTimeout(() => {
      signalGroup(child, 'SIGKILL')
      fail(`did not listen within ${patience} s`)
    }, patience * 1000)
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
      const started = /^\{.*"msg":"started"\}$/m.exec(output)
      if (started === null) return
      clearTimeout(timer)
      resolve((JSON.parse(started[0]) as { listening: Listening[] }).listening)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    void exited.then((code) => {
      clearTimeout(timer)
      fail(`ended with ${code} before it listened`)
    })
  })
  return {
    listening,
    address(component, transport) {
      const found = listening.find((each) => each.component === component && each.transport === transport)
      if (found === undefined) throw new Error(`no ${transport} of ${component} in ${JSON.stringify(listening)}`)
      return found.address
    },
    output: () => output,
    stop(signal = 'SIGTERM') {
      signalGroup(child, signal)
      return exited
    },
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Runs a command to its end. */
export function runSluice(
  args: readonly string[],
  { cwd = root, env = {}, command = join(root, 'sluice') }: StartOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      running.delete(child)
      resolve({ code, stdout, stderr })
    })
  })
}

/** Asks `probe` every 50 ms until it answers; fails with `what` and the last error after `seconds`. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  seconds = 10,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const answer = await probe()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
