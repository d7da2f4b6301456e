import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import builtIn from '../../src/cli/components.ts'
import { registryOf } from '../../src/component/registry.ts'
import { loadConfig } from '../../src/config/load.ts'
import { lines, registry } from './support/components.ts'

const folder = join(import.meta.dirname, 'wrong')
const cases = globSync('**/*.yaml', { cwd: folder }).sort()
const components = registryOf(builtIn)

/** What the cases refer to. */
const env = { API_TOKEN: 'hunter2', TLS_SECRET: '{insecure: hunter2, cert_file: [hunter2]}', LOOP: `\${env:LOOP}` }

// Beside each configuration stands what `validate` prints for it; those in built-in/ are about the options of Sluice's
// components, the others are read with small stand-ins for them. After a change of wording: UPDATE_WRONG=1 npx vitest run
// test/config/wrong.test.ts, and read the difference as its reader will, at 3 a.m.
test.each(cases)('%s is refused in exactly these words', async (path) => {
  const cwd = join(folder, dirname(path))
  const expected = join(cwd, `${basename(path, '.yaml')}.expected`)
  const known = path.startsWith('built-in') ? components : registry
  const loaded = await loadConfig({ config: [basename(path)], env, cwd }, known)
  const said = `${lines(loaded).join('\n')}\n`
  if (process.env['UPDATE_WRONG']) writeFileSync(expected, said)
  expect(said).toBe(readFileSync(expected, 'utf8'))
  expect(loaded.config).toBeUndefined()
  expect(said).not.toContain('hunter2')
})

test('there are at least sixty of them, and no expectation without its configuration', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60)
  expect(globSync('**/*.expected', { cwd: folder }).length).toBe(cases.length)
})
