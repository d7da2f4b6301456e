import { expect, test } from 'vitest'
import { errorCodes, generated } from '../../tools/generated.ts'
import { COMPONENT_FOLDERS, files, read, withoutComments } from '../support/tree.ts'

test('generated files and tables are current; if not: npm run generate', async () => {
  const all = await generated()
  for (const { path, text, now } of all) expect(now, `${path} is not current, run: npm run generate`).toBe(text)
  expect(all.length).toBeGreaterThan(0)
})

test('schemas/ holds nothing that no definition stands for', async () => {
  const paths = (await generated()).map(({ path }) => path)
  expect(files('schemas/**').filter((path) => path.endsWith('.json') && !paths.includes(path))).toEqual([])
})

const code = files('src/**/*.ts', ...COMPONENT_FOLDERS.map((folder) => `${folder}/**/*.ts`), 'tools/node')
  .filter((path) => !path.endsWith('/codes.ts'))
  .map((path) => ({ path, text: path.endsWith('.ts') ? withoutComments(read(path)) : read(path) }))

/** Where an error names its code: as an argument of its class, as a property, in brackets at the end of a text. */
const USES = [
  /Error\(\s*'([A-Z]+(?:_[A-Z]+)+)'/g,
  /\bsuper\(\s*'([A-Z]+(?:_[A-Z]+)+)'/g,
  / {2}\(([A-Z]+(?:_[A-Z]+)+)\)/g,
]

test('every error code in use is explained', async () => {
  const explained = new Set((await errorCodes()).map(([name]) => name))
  const unexplained = code.flatMap(({ path, text }) =>
    USES.flatMap((pattern) => [...text.matchAll(pattern)])
      .filter(([, name]) => !explained.has(name!))
      .map(([, name]) => `${path} uses ${name}, which no codes.ts explains`),
  )
  expect(unexplained).toEqual([])
})

test('every error code that is explained is in use', async () => {
  const unused = (await errorCodes()).filter(([name]) => !code.some(({ text }) => text.includes(name)))
  expect(unused.map(([name]) => name)).toEqual([])
})

test('no error code is explained twice', async () => {
  const names = (await errorCodes()).map(([name]) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
