import { registryOf } from '../component/registry.ts'
import { printConfig } from '../config/print.ts'
import type { ConfigSources } from './command-line.ts'
import builtIn from './components.ts'
import { loadOrReport } from './load.ts'

export interface PrintConfigOptions {
  /** Shows secrets as they are. */
  readonly unredacted: boolean
  readonly format: 'yaml' | 'json'
}

/** Prints the effective configuration. Resolves with the exit code. */
export async function printConfiguration(sources: ConfigSources, options: PrintConfigOptions): Promise<number> {
  const loaded = await loadOrReport(sources)
  if (loaded === undefined) return 1
  process.stdout.write(printConfig(loaded.config, registryOf(builtIn), options))
  return 0
}
