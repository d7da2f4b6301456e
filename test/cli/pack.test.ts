import { spawnSync } from 'node:child_process'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { endAll, eventually, runSluice, startSluice } from '../support/sluice.ts'
import { root } from '../support/tree.ts'

// What npm would publish, installed into an empty folder with its dependencies from the registry (or npm's cache), and
// used from there. The tests of everything else run the sources; that both forms behave alike is sampled here, not shown.

let temp: string
let project: string
let sluice: string

function npm(args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`)
}

beforeAll(() => {
  temp = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-pack-')))
  project = join(temp, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "somebody", "private": true }\n')
  npm(['pack', '--pack-destination', temp], root)
  const tarball = readdirSync(temp).find((name) => name.endsWith('.tgz'))
  npm(['install', '--no-audit', '--no-fund', '--prefer-offline', join(temp, tarball!)], project)
  sluice = join(project, 'node_modules/.bin/sluice')
}, 180_000)

afterEach(endAll)
afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** The PATH with an older Node first, as a machine may have it. */
function withOldNode(): Record<string, string> {
  const folder = join(temp, 'old-node')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "the old node ran" >&2\nexit 1\n', { mode: 0o755 })
  return { PATH: `${folder}:${process.env['PATH']}` }
}

const YAML = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:0
processors:
  resource:
    attributes:
      - { key: packed, value: "yes", action: insert }
  batch:
exporters:
  debug:
    verbosity: detailed
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resource, batch]
      exporters: [debug]
`

describe('the published package', () => {
  test('holds no TypeScript but declarations', () => {
    const installed = join(project, 'node_modules/sluice')
    const all = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    expect(all.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([])
    expect(all).toContain(join('dist', 'src', 'cli', 'main.js'))
    expect(all).toContain(join('dist', 'run', 'run.cjs'))
  })

  test('runs on its own Node from any folder', async () => {
    const { code, stdout } = await runSluice(['version'], { command: sluice, cwd: temp, env: withOldNode() })
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^sluice ${version} \\(Node 24\\.`))])
  })

  test('knows the same components as the sources', async () => {
    const packed = await runSluice(['components', '--json'], { command: sluice, cwd: temp })
    const sources = await runSluice(['components', '--json'])
    expect(packed).toEqual(sources)
    expect(packed.code).toBe(0)
  })

  test('runs a pipeline', async () => {
    const file = join(project, 'pipeline.yaml')
    writeFileSync(file, YAML)
    const running = await startSluice(['run', 'pipeline.yaml'], { command: sluice, cwd: project, env: withOldNode() })
    const { writeProtobufjs } = await import('../otlp/support/oracles.ts')
    const body = writeProtobufjs('traces', {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [{ traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(2), name: 'packed span' }],
            },
          ],
        },
      ],
    })
    const response = await fetch(`http://${running.address('receiver otlp', 'http')}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body),
    })
    expect(response.status).toBe(200)
    await eventually('the span on the terminal, edited', () =>
      ['packed span', 'packed'].every((word) => running.output().includes(word)) ? true : undefined,
    )
    expect(await running.stop()).toBe(0)
  })

  test('keeps compiled code for the next start, and does without where that is cut short', async () => {
    const kept = join(temp, 'kept')
    const options = { command: sluice, cwd: project, env: { NODE_COMPILE_CACHE: kept } }
    const codes = (): string[] => globSync('main-*.code', { cwd: kept })
    const first = await startSluice(['run', 'pipeline.yaml'], options)
    await eventually('compiled code', () => (codes().length > 0 ? true : undefined))
    expect(await first.stop()).toBe(0)
    expect(codes()).toHaveLength(1)
    for (const length of [undefined, 1000, 0]) {
      truncateSync(join(kept, codes()[0]!), length ?? statSync(join(kept, codes()[0]!)).size)
      const next = await startSluice(['run', 'pipeline.yaml'], options)
      expect(await next.stop()).toBe(0)
    }
  })
})
