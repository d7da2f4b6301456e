import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeProtobufjs } from '../otlp/support/oracles.ts'
import { exportGrpc } from '../support/grpc-client.ts'
import { freePort } from '../support/ports.ts'
import { endAll, type RunningSluice, startSluice } from '../support/sluice.ts'
import { needsProgram } from './support/peers.ts'
import { richRequest } from './support/telemetry.ts'

// Go's own tool reads what the pprof extension serves, fetched by itself. What this does not prove: that the numbers are right.

const run = promisify(execFile)
const { skip, note } = needsProgram('go')

describe.skipIf(skip)(`go tool pprof${note}`, () => {
  let folder: string
  let sluice: RunningSluice
  let base: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-pprof-'))
    const port = await freePort()
    base = `http://127.0.0.1:${port}/debug/pprof`
    const file = join(folder, 'sluice.yaml')
    writeFileSync(
      file,
      JSON.stringify({
        extensions: { pprof: { endpoint: `127.0.0.1:${port}` } },
        receivers: { otlp: { protocols: { grpc: { endpoint: '127.0.0.1:0' } } } },
        exporters: { debug: { verbosity: 'detailed' } },
        service: {
          extensions: ['pprof'],
          telemetry: { metrics: { level: 'none' } },
          pipelines: { traces: { receivers: ['otlp'], exporters: ['debug'] } },
        },
      }),
    )
    sluice = await startSluice(['run', file])
  })

  afterAll(async () => {
    await sluice?.stop()
    endAll()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs the tool while requests come in. */
  async function pprof(...args: string[]): Promise<string> {
    let going = true
    const request = writeProtobufjs('traces', richRequest('traces', 'x'))
    const load = (async () => {
      while (going) await exportGrpc(sluice.address('receiver otlp', 'grpc'), 'traces', request)
    })()
    try {
      const env = { ...process.env, PPROF_TMPDIR: folder }
      const { stdout } = await run('go', ['tool', 'pprof', ...args], { cwd: folder, env })
      return stdout
    } finally {
      going = false
      await load
    }
  }

  test('reads the CPU of all threads, which samples name', async () => {
    const top = await pprof('-top', `${base}/profile?seconds=1`)
    expect(top).toContain('Type: cpu')
    expect(top).toMatch(/^ +flat +flat% +sum% +cum +cum%/m)
    expect(await pprof('-tags', `${base}/profile?seconds=1`)).toMatch(/thread: Total [\s\S]*lane-1/)
  }, 60_000)

  test('reads what was allocated and lives', async () => {
    const top = await pprof('-top', '-sample_index=inuse_space', `${base}/heap?seconds=1`)
    expect(top).toContain('Type: inuse_space')
  }, 60_000)
})
