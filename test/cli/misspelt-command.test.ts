import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const launcher = fileURLToPath(new URL('../../sluice', import.meta.url))
const sluice = (...args: string[]) => spawnSync(launcher, args, { encoding: 'utf8' })

test('a misspelt command is told from a file that is not there', () => {
  expect(sluice('validte', 'a.yaml')).toMatchObject({
    status: 1,
    stderr: 'sluice: there is no command and no file "validte"; did you mean "validate"?\n',
  })
  for (const args of [['no-such-file'], ['run', 'validte']]) {
    expect(sluice(...args)).toMatchObject({
      status: 1,
      stderr: `${args.at(-1)}:1:1  cannot be read: no such file  (CONFIG_READ)\n`,
    })
  }
})
