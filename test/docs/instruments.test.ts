import { expect, test } from 'vitest'
import { instruments } from '../../tools/instruments.ts'
import { COMPONENT_FOLDERS, files, read, withoutComments } from '../support/tree.ts'

const all = await instruments()
const documented = new Set(all.map(({ name }) => name))

test('more than 100 instruments are documented, with description and unit', () => {
  expect(all.length).toBeGreaterThan(100)
  expect(all.filter(({ description }) => description === '').map(({ name }) => name)).toEqual([])
})

test('every name in the code that is the name of an instrument is in the table', () => {
  const missing = files('src/**/*.ts', ...COMPONENT_FOLDERS.map((folder) => `${folder}/**/*.ts`)).flatMap((path) =>
    [...withoutComments(read(path)).matchAll(/'((?:sluice|otelcol)_[a-z0-9_]+[a-z0-9])'/g)]
      .map(([, name]) => name!)
      .filter((name) => !documented.has(name) && !PARTS.has(name))
      .map((name) => `${path}: ${name}; tools/instruments.ts does not know it`),
  )
  expect(missing).toEqual([])
})

/** Beginnings of names, not names. */
const PARTS = new Set(['otelcol_processor_memory_limiter'])
