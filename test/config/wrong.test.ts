import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { lines, load } from './support/components.ts'

const folder = join(import.meta.dirname, 'wrong')
const cases = globSync('*.yaml', { cwd: folder }).sort()

/** What the cases refer to. */
const env = { API_TOKEN: 'hunter2', TLS_SECRET: '{insecure: hunter2, cert_file: [hunter2]}', LOOP: `\${env:LOOP}` }

// Beside each configuration stands what `validate` prints for it. After a change of wording: UPDATE_WRONG=1 npx vitest run
// test/config/wrong.test.ts, and read the difference as its reader will, at 3 a.m.
test.each(cases)('%s is refused in exactly these words', async (file) => {
  const expected = join(folder, `${basename(file, '.yaml')}.expected`)
  const loaded = await load({ config: [file], env, cwd: folder })
  const said = `${lines(loaded).join('\n')}\n`
  if (process.env['UPDATE_WRONG']) writeFileSync(expected, said)
  expect(said).toBe(readFileSync(expected, 'utf8'))
  expect(loaded.config).toBeUndefined()
  expect(said).not.toContain('hunter2')
})

test('there are at least thirty of them, and no expectation without its configuration', () => {
  expect(cases.length).toBeGreaterThanOrEqual(30)
  expect(globSync('*.expected', { cwd: folder }).length).toBe(cases.length)
})
