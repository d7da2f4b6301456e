/** Go Collectors as child processes. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../../support/ports.ts'
import { eventually } from '../../support/sluice.ts'
import { buildCollector, collectorPath } from '../build-collector.ts'

/**
 * Whether the Collector is built. Tests do not build it: it takes minutes, needs Go and the network, and `.ci/run` does it
 * first.
 */
export function collectorAvailable(): boolean {
  return existsSync(collectorPath())
}

/** What a suite that needs the Collector is called where there is none. */
export const NO_COLLECTOR = '(not run: no Go Collector; node test/interop/build-collector.ts builds it)'

export interface RunningCollector {
  /** SIGTERM; resolves when it has drained and ended. */
  stop(): Promise<void>
  readonly output: () => string
}

const running = new Set<ChildProcess>()

/** Ends what a failed test left running. */
export function endCollectors(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Starts a Collector and waits until it accepts connections on `port`. */
export async function startCollector(
  folder: string,
  name: string,
  yaml: string,
  port: number,
): Promise<RunningCollector> {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, yaml)
  const child = spawn(buildCollector(), [`--config=${file}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = once(child, 'close').then(() => void running.delete(child))
  await eventually(`the Collector ${name} listens on ${port}`, async () => {
    if (child.exitCode !== null) throw new Error(`the Collector ${name} ended:\n${output}`)
    return (await accepts(port)) ? true : undefined
  })
  return {
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** What `otelcol validate` says of a configuration file: nothing where it is sound. */
export async function collectorVerdict(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } }
    execFile(buildCollector(), ['validate', `--config=${file}`], options, (error, stdout, stderr) => {
      resolve(error === null ? '' : `${stdout}${stderr}`)
    })
  })
}
