import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/ports.ts'
import { endAll, eventually, type RunningSluice, runSluice, startSluice } from '../support/sluice.ts'
import { read, root } from '../support/tree.ts'

// The lines of the README as a newcomer types them, in a clone of their own with an empty node_modules. The only help
// they get: other ports where the usual ones are taken on this machine. `npm test` is not run inside itself: .ci/run
// runs it, and here it is checked that both write it alike.

const [quickstart, demo, tests] = [...read('README.md').matchAll(/^```sh\n(.*)\n```/gm)].map(([, line]) => line!)

let clone: string
let ports: Record<string, string>
let sluice: RunningSluice

/** As a terminal has it: without what `npm test` adds for its own scripts. */
function plainEnvironment(): Record<string, string> {
  const plain = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE|VITEST|TEST)/.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...(Object.fromEntries(plain) as Record<string, string>), PATH: path.join(delimiter) }
}

/** Undefined where somebody listens on it already. */
function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, 'localhost', () => {
      const { port: bound } = server.address() as { port: number }
      server.close(() => resolve(bound))
    })
  })
}

async function portsThatNeedChanging(): Promise<Record<string, string>> {
  const usual = [4317, 4318, 8888]
  const free = (await Promise.all(usual.map(bind))).every((port) => port !== undefined)
  if (free) return {}
  const [grpc, http, metrics] = await Promise.all(usual.map(() => freePort()))
  return {
    OTLP_GRPC: `localhost:${grpc}`,
    OTLP_HTTP: `localhost:${http}`,
    METRICS_PORT: `${metrics}`,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://localhost:${grpc}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://localhost:${http}`,
  }
}

beforeAll(async () => {
  clone = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-clone-')))
  const ours = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  for (const file of ours.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    cpSync(join(root, file), join(clone, file))
  }
  ports = await portsThatNeedChanging()
  sluice = await startSluice(['-c', quickstart!], {
    command: '/bin/sh',
    cwd: clone,
    env: ports,
    only: plainEnvironment(),
    patience: 180,
  })
}, 200_000)

afterAll(() => {
  endAll()
  rmSync(clone, { recursive: true, force: true })
})

const file = (): string => readFileSync(join(clone, 'quickstart-output/telemetry.jsonl'), 'utf8')

describe('the lines of the README', () => {
  test('are three, each a single line', () => {
    expect([quickstart, demo, tests]).toEqual([
      'npm ci && ./sluice run pipelines/quickstart.yaml',
      'npm run demo',
      'npm ci && npm test',
    ])
  })

  test('the first starts the quickstart, which shows telemetry flowing', async () => {
    expect(sluice.listening.map(({ transport }) => transport)).toEqual(expect.arrayContaining(['grpc', 'http']))
    await eventually('generated telemetry in the file', () => (file() === '' ? undefined : true))
  })

  test('the next sends real SDK telemetry, which appears on the terminal and in the file', async () => {
    const sent = spawnSync('/bin/sh', ['-c', demo!], {
      cwd: clone,
      env: { ...plainEnvironment(), ...ports },
      encoding: 'utf8',
    })
    expect(sent.status, sent.stderr).toBe(0)
    const [, trace] = /sent 3 spans, 1 metric and 1 log record of service sdk-demo, trace ([0-9a-f]{32})/.exec(
      sent.stdout,
    ) as unknown as [string, string]
    for (const name of ['GET /checkout', 'SELECT cart', 'POST /payment', 'demo.checkouts', 'checkout failed', trace]) {
      await eventually(`${name} in the file`, () => (file().includes(name) ? true : undefined))
      await eventually(`${name} on the terminal`, () => (sluice.output().includes(name) ? true : undefined))
    }
  })

  test('a second one finds the ports busy and says the way out', async () => {
    const { code, stderr } = await runSluice(['run', 'pipelines/quickstart.yaml'], { cwd: clone, env: ports })
    expect(code).toBe(1)
    expect(stderr).toContain('LISTEN_ADDRESS_IN_USE')
    expect(stderr).toMatch(/localhost:\d+|127\.0\.0\.1:\d+/)
  })

  test('Ctrl-C drains and prints the books', async () => {
    // The exit code is the shell's, which the signal reaches too.
    await sluice.stop('SIGINT')
    const [, ledger] = /^\{.*"ledger":(\[.*\]),"msg":"ledger"\}$/m.exec(sluice.output()) ?? []
    const books = JSON.parse(ledger ?? '[]') as { pipeline: string; accepted: number; sent: number; held: number }[]
    expect(books.map(({ pipeline }) => pipeline).sort()).toEqual(['logs', 'metrics', 'traces'])
    for (const { accepted, sent, held } of books) expect([sent, held]).toEqual([accepted, 0])
    expect(books.every(({ accepted }) => accepted > 0)).toBe(true)
  })

  test('the last is what .ci/run calls', () => {
    const script = read('.ci/run')
    for (const command of tests!.split(' && ')) expect(script).toMatch(new RegExp(`\\b${command}\\b`))
  })
})
