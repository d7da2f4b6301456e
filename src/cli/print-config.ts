import { printConfig } from '../config/print.ts'
import type { ConfigSources } from './command-line.ts'
import { loadOrReport } from './load.ts'

/** Prints the effective configuration as YAML, secrets redacted. Resolves with the exit code. */
export async function printConfiguration(sources: ConfigSources): Promise<number> {
  const loaded = await loadOrReport(sources)
  if (loaded === undefined) return 1
  process.stdout.write(printConfig(loaded.config))
  return 0
}
