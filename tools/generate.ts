/**
 * `npm run generate`: writes what follows from the components' definitions (schemas/, the tables in READMEs).
 * `npm run generate -- --check` writes nothing and fails where something is not current.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generated } from './generated.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')

const stale = (await generated()).filter(({ text, now }) => text !== now)
for (const { path, text } of stale) {
  console.log(`${path}: ${check ? 'not current, run npm run generate' : 'written'}`)
  if (check) continue
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
if (check && stale.length > 0) process.exitCode = 1
