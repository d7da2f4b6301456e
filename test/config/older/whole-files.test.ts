import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import builtIn from '../../../src/cli/components.ts'
import { registryOf } from '../../../src/component/registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { migrate } from '../../../src/config/older/migrate.ts'
import { formatProblem } from '../../../src/config/problem.ts'

// Configurations as they were written years ago, whole. Beside each stands what is said of it when it is loaded and when it is
// migrated, and its migrated form. UPDATE_OLDER=1 writes what is said now; read the difference.

const folder = join(import.meta.dirname, 'files')
const names = globSync('*.yaml', { cwd: folder }).sort()
const registry = registryOf(builtIn)

function compare(file: string, text: string): void {
  const path = join(folder, file)
  if (process.env['UPDATE_OLDER']) writeFileSync(path, text)
  expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(text)
}

const commentsOf = (text: string): string[] => text.match(/#.*$/gm) ?? []

describe.each(names)('%s', (name) => {
  const older = readFileSync(join(folder, name), 'utf8')
  const { text, changes, left, problems } = migrate(older, name, registry)

  test('has one warning for each older form, and is refused for what is gone or never was', async () => {
    const loaded = await loadConfig({ config: [name], env: {}, cwd: folder }, registry)
    const said = [
      ...loaded.problems.map((problem) => formatProblem(problem)),
      ...loaded.warnings.map((problem) => `warning: ${formatProblem(problem)}`),
    ]
    compare(`${name}.said`, `${said.join('\n')}\n`)
    const older = loaded.warnings.filter(({ code }) => code === 'CONFIG_DEPRECATED')
    expect(new Set(older.map(({ line, col }) => `${line}:${col}`)).size).toBe(older.length)
    expect(changes.map(({ line, col }) => [line, col])).toEqual(older.map(({ line, col }) => [line, col]))
    expect(left.map(({ message }) => message)).toEqual(
      loaded.problems.filter(({ code }) => code === 'CONFIG_UNKNOWN_TYPE').map(({ message }) => message),
    )
  })

  test('is migrated with its comments, once', async () => {
    expect(problems).toEqual([])
    compare(`${name}.modern`, text)
    expect(commentsOf(text)).toEqual(commentsOf(older))
    const again = migrate(text, name, registry)
    expect(again).toMatchObject({ text, changes: [] })
    const loaded = await loadConfig({ config: [`yaml:${text}`], env: {}, cwd: folder }, registry)
    expect(loaded.warnings.filter(({ code }) => code === 'CONFIG_DEPRECATED')).toEqual([])
  })
})
