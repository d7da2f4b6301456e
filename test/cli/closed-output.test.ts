// What becomes of a command whose reader goes away, as in `sluice … | head -1`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const launcher = fileURLToPath(new URL('../../sluice', import.meta.url))

/** Runs the command until it has printed something, closes the pipe, and tells how it ended. */
async function closeAfterFirstByte(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(launcher, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

test('schema: a reader that has seen enough is no failure', async () => {
  expect(await closeAfterFirstByte(['schema'])).toEqual({ code: 0, stderr: '' })
})

test('run: it stops in order and closes its books', async () => {
  const config = `
receivers: {generator: {traces: {rate: 2000}, metrics: {rate: 0}, logs: {rate: 0}}}
exporters: {debug: {verbosity: normal, use_internal_logger: false}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [generator], exporters: [debug]}}`
  const { code, stderr } = await closeAfterFirstByte(['run', `--config=yaml:${config}`])
  expect(stderr).toContain('standard output was closed by its reader, so this stops')
  expect(stderr).toContain('"msg":"ledger"')
  expect(stderr).not.toContain('EPIPE')
  expect(code).toBe(0)
})
