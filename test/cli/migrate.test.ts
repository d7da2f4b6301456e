import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const launcher = fileURLToPath(new URL('../../sluice', import.meta.url))
const sluice = (...args: string[]) => spawnSync(launcher, args, { encoding: 'utf8', cwd: folder })

const OLDER = `receivers: {otlp: {protocols: {grpc: }}}
exporters:
  logging: # for now
    loglevel: debug
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [logging]}
`
const TODAY = OLDER.replaceAll('logging', 'debug').replace('loglevel: debug', 'verbosity: detailed')
const CHANGED = `changed: old.yaml:3:3  exporters.logging: "logging" is the old name of the exporter "debug"; both work, and an id is used as it is written  (CONFIG_DEPRECATED)
changed: old.yaml:4:5  exporters.logging.loglevel: is the old form; write verbosity: detailed  (CONFIG_DEPRECATED)
`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-migrate-'))
  writeFileSync(join(folder, 'old.yaml'), OLDER)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const written = (): string => readFileSync(join(folder, 'old.yaml'), 'utf8')

test('migrate prints the file in today’s form and tells what changed; the file stays', () => {
  expect(sluice('migrate', 'old.yaml')).toMatchObject({ status: 0, stdout: TODAY, stderr: CHANGED })
  expect(written()).toBe(OLDER)
})

test('--diff prints the difference, which patch takes', () => {
  const { status, stdout } = sluice('migrate', 'old.yaml', '--diff')
  expect(status).toBe(0)
  expect(stdout).toContain(
    '-  logging: # for now\n-    loglevel: debug\n+  debug: # for now\n+    verbosity: detailed\n',
  )
})

test('--write replaces the file, whose mode stays; a second time nothing is left to do', () => {
  chmodSync(join(folder, 'old.yaml'), 0o640)
  expect(sluice('migrate', '--write', 'old.yaml')).toMatchObject({ status: 0, stdout: '', stderr: CHANGED })
  expect(written()).toBe(TODAY)
  expect(statSync(join(folder, 'old.yaml')).mode & 0o777).toBe(0o640)
  expect(readdirSync(folder)).toEqual(['old.yaml'])
  expect(sluice('migrate', '--write', '--diff', 'old.yaml')).toMatchObject({ status: 0, stdout: '', stderr: '' })
  expect(sluice('validate', 'old.yaml')).toMatchObject({ status: 0, stderr: '' })
})

test('what a person has to change ends it with 1, as does a file that is none', () => {
  writeFileSync(join(folder, 'old.yaml'), OLDER.replace('loglevel: debug', `loglevel: \${env:LEVEL}`))
  const { status, stderr } = sluice('migrate', 'old.yaml')
  expect(status).toBe(1)
  expect(stderr).toContain('by hand: old.yaml:4:5  ')
  writeFileSync(join(folder, 'old.yaml'), 'a: [')
  expect(sluice('migrate', '--write', 'old.yaml')).toMatchObject({ status: 1, stdout: '' })
  expect(written()).toBe('a: [')
  expect(sluice('migrate', 'no-such.yaml')).toMatchObject({ status: 1, stdout: '' })
})

test('print-config --format json is what it prints as YAML', () => {
  const json = sluice('print-config', '--format', 'json', 'old.yaml')
  expect(json.status).toBe(0)
  expect(JSON.parse(json.stdout)).toMatchObject({ exporters: { logging: { verbosity: 'detailed' } } })
  writeFileSync(join(folder, 'printed.json'), json.stdout)
  const again = sluice('print-config', 'printed.json')
  expect(again.stdout).toBe(sluice('print-config', 'old.yaml').stdout)
})
