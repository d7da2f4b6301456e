import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { registryOf } from '../component/registry.ts'
import { migrate } from '../config/older/migrate.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import builtIn from './components.ts'
import { unifiedDiff } from './unified-diff.ts'

export interface MigrateOptions {
  /** Prints the difference instead of the whole. */
  readonly diff: boolean
  /** Writes it to the file instead of printing it. */
  readonly write: boolean
}

/**
 * Prints a configuration file in today's form; what changed, and what a person has to change, goes to standard error. Resolves with the
 * exit code: 1 where something is left to change, or the file is no configuration.
 */
export async function migrateFile(path: string, { diff, write }: MigrateOptions): Promise<number> {
  let older: string
  try {
    older = await readFile(path, 'utf8')
  } catch (error) {
    process.stderr.write(`sluice: cannot read ${path}: ${(error as Error).message}\n`)
    return 1
  }
  const { text, changes, left, problems } = migrate(older, path, registryOf(builtIn))
  say('', problems)
  if (problems.length > 0) return 1
  if (write && text !== older) {
    try {
      await replaceFile(path, text)
    } catch (error) {
      process.stderr.write(`sluice: cannot write ${path}: ${(error as Error).message}\n`)
      return 1
    }
  }
  say('changed: ', changes)
  say('by hand: ', left)
  if (diff) process.stdout.write(unifiedDiff(older, text, path))
  else if (!write) process.stdout.write(text)
  return left.length > 0 ? 1 : 0
}

function say(kind: string, problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`${kind}${formatProblem(problem)}\n`)
}

/** All or nothing: a file that is half written is no configuration. */
async function replaceFile(path: string, text: string): Promise<void> {
  const { mode } = await stat(path)
  const fresh = `${path}.${randomUUID()}`
  try {
    await writeFile(fresh, text, { mode })
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
