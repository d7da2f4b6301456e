import type { Definition } from '../component/define.ts'
import { registryOf } from '../component/registry.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblem } from '../config/problem.ts'
import type { Registry } from '../config/registry.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { ConfigSources } from './command-line.ts'
import builtIn from './components.ts'

/** A configuration that may run, and what there is to say about it, one line each. */
export interface LoadedConfig {
  readonly config: ResolvedConfig
  /** The components that it was checked against. */
  readonly definitions: Registry<Definition>
  readonly warnings: readonly string[]
  readonly notes: readonly string[]
}

/**
 * Loads the configuration that the command line names. Problems go to standard error, one a line, all of them; then the
 * result is undefined and the command ends with exit code 1.
 */
export async function loadOrReport(sources: ConfigSources): Promise<LoadedConfig | undefined> {
  const definitions = registryOf(builtIn)
  const { config, problems, warnings, notes } = await loadConfig(
    { ...sources, env: process.env, cwd: process.cwd() },
    definitions,
  )
  if (config === undefined || problems.length > 0) {
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`)
    for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`)
    return undefined
  }
  return { config, definitions, warnings: warnings.map(formatProblem), notes: notes.map(formatProblem) }
}
