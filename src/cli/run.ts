import { siblingModule } from '../lanes/sibling-module.ts'
import { Supervisor } from '../lanes/supervisor.ts'
import { compileAddressPattern } from '../transport/address-pattern.ts'
import type { ConfigSources } from './command-line.ts'

/** Runs a configuration until a signal or a failure. Resolves with the exit code. */
export async function run(sources: ConfigSources): Promise<number> {
  const supervisor = new Supervisor(siblingModule(import.meta.url, 'components'))
  compileAddressPattern()
  // Imported now, while the thread starts: the YAML library alone is 72 modules.
  const { runEngine } = await import('./engine.ts')
  return runEngine(supervisor, sources)
}
