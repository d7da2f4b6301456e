import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../support/tree.ts'

// A checkout of its own, bundled: when its launcher runs the bundle and when the sources. The bundle is marked, since both say
// the same. That pipelines run from a bundle is shown by pack.test.ts, and by every test of the launcher where there is one.

const COPIED = ['sluice', 'tools', 'src', 'receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const
const SOURCE = 'src/cli/command-line.ts'

let temp: string
let checkout: string

beforeAll(() => {
  temp = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-bundle-')))
  checkout = join(temp, 'checkout')
  mkdirSync(join(checkout, 'node_modules'), { recursive: true })
  for (const name of [...COPIED, 'package.json', 'package-lock.json'])
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(checkout, 'node_modules', name))
  bundleAndMark()
}, 60_000)

afterAll(() => rmSync(temp, { recursive: true, force: true }))

const run = (): string => join(checkout, 'node_modules/.cache/sluice/run')

function command(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(join(checkout, args[0]!), args.slice(1), {
    cwd: temp,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
}

/** Makes the bundle if it is not current. A mark says that it ran; the bundle is no input of itself. */
function bundleAndMark(): void {
  const before = bundles()
  command('tools/node', join(checkout, 'tools/bundle.ts'))
  if (bundles().at(-1) !== before.at(-1))
    appendFileSync(join(run(), 'main.cjs'), "process.stdout.write('from the bundle')\n")
}

/** The folders of all that were made; their names begin with the time. */
const bundles = (): string[] => globSync('run-*-*/', { cwd: join(run(), '..') }).sort()

function edit(path: string, from: string, to: string): void {
  const file = join(checkout, path)
  const text = readFileSync(file, 'utf8')
  expect(text.split(from)).toHaveLength(2)
  writeFileSync(file, text.replace(from, to))
}

describe('the bundle of a checkout', () => {
  test('runs while everything it was made from is as it was', () => {
    expect(command('sluice', 'version')).toMatch(/^sluice \d.*\nfrom the bundle$/)
  })

  test('is not made again while it is current', () => {
    const before = bundles()
    bundleAndMark()
    expect(bundles()).toEqual(before)
  })

  test('does not run after a change of the same length whose time was put back', () => {
    const { atime, mtime, size } = statSync(join(checkout, SOURCE))
    edit(SOURCE, '.write(`sluice ', '.write(`SLUICE ')
    utimesSync(join(checkout, SOURCE), atime, mtime)
    expect(statSync(join(checkout, SOURCE))).toMatchObject({ size, mtimeMs: mtime.getTime() })
    expect(command('sluice', 'version')).toMatch(/^SLUICE \d.*\n$/)
  })

  test('runs the change when it is made again', () => {
    bundleAndMark()
    expect(command('sluice', 'version')).toMatch(/^SLUICE \d.*\nfrom the bundle$/)
  })

  test('does not run when another package was installed', () => {
    writeFileSync(join(checkout, 'node_modules/.package-lock.json'), '{}')
    expect(command('sluice', 'version')).toMatch(/^SLUICE \d.*\n$/)
  })

  test('does not run in a copy of the checkout', () => {
    const copy = join(temp, 'copy')
    cpSync(checkout, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    const { stdout } = spawnSync(join(copy, 'sluice'), ['version'], { encoding: 'utf8' })
    expect(stdout).toMatch(/^SLUICE \d.*\n$/)
  })

  test('does not run when what it was made from cannot be read', () => {
    rmSync(join(run(), 'inputs.json'))
    expect(command('sluice', 'version')).toMatch(/^SLUICE \d.*\n$/)
  })
})
