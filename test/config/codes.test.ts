import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CODES } from '../../src/config/codes.ts'

const folder = join(import.meta.dirname, '../../src/config')

// That a code in use is listed is the compiler's to say: Report takes no other.
test('every code that is listed is in use', () => {
  const used = globSync('*.ts', { cwd: folder, exclude: ['codes.ts'] })
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
  expect(Object.keys(CODES).filter((code) => !used.includes(`'${code}'`))).toStrictEqual([])
})
