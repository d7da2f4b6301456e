/** Go Collectors as child processes. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../../support/ports.ts'
import { eventually } from '../../support/sluice.ts'
import { pathOf } from '../peers/peer.ts'
import { otelcol } from '../peers/registry.ts'
import { type RunningPeer, startPeer } from './peers.ts'

/** Starts a Collector, with `flags` beside its configuration, and waits until it accepts connections on `port`. */
export async function startCollector(
  folder: string,
  name: string,
  yaml: string,
  port: number,
  flags: readonly string[] = [],
): Promise<RunningPeer> {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, yaml)
  const collector = await startPeer(pathOf(otelcol), [...flags, `--config=${file}`], (output) =>
    output.includes('Everything is ready') ? name : undefined,
  )
  await eventually(`the Collector ${name} listens on ${port}`, async () => ((await accepts(port)) ? true : undefined))
  return collector
}

/** What `otelcol validate` says of a configuration file: nothing where it is sound. */
export async function collectorVerdict(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } }
    execFile(pathOf(otelcol), ['validate', `--config=${file}`], options, (error, stdout, stderr) => {
      resolve(error === null ? '' : `${stdout}${stderr}`)
    })
  })
}
