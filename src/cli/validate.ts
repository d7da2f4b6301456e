import type { ConfigSources } from './command-line.ts'
import { loadOrReport } from './load.ts'

/** Checks a configuration; starts, binds and dials nothing. Resolves with the exit code. */
export async function validate(sources: ConfigSources): Promise<number> {
  const loaded = await loadOrReport(sources)
  if (loaded === undefined) return 1
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`)
  return 0
}
