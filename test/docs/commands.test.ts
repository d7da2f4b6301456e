import { expect, test } from 'vitest'
import { runSluice } from '../support/sluice.ts'
import { read } from '../support/tree.ts'

test('the README lists the commands that there are', async () => {
  const { stdout } = await runSluice(['--help'])
  const commands = stdout.slice(stdout.indexOf('\nCommands:'))
  const there = [...commands.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name!)
  const listed = [...read('README.md').matchAll(/^\| `sluice ([\w-]+)/gm)].map(([, name]) => name!)
  expect(listed.sort()).toEqual(there.filter((name) => name !== 'help').sort())
  expect(there).toContain('run')
})

test('every npm script that a README names exists, and npm test runs on the pinned Node', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = [...`${read('README.md')}${read('src/README.md')}`.matchAll(/npm run ([\w:]+)/g)].map(
    ([, name]) => name!,
  )
  expect(named.filter((name) => !(name in scripts))).toEqual([])
  expect(named.length).toBeGreaterThan(0)
  expect(scripts['test']).toMatch(/^tools\/node /)
})
