import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, onTestFinished, test } from 'vitest'
import { endAll, eventually, runSluice, startSluice } from '../support/sluice.ts'

afterEach(endAll)

function config(telemetry: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-console-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'config.yaml')
  writeFileSync(
    file,
    `
receivers:
  generator: {traces: {rate: 10}}
exporters:
  nop:
service:
  pipelines:
    traces: {receivers: [generator], exporters: [nop]}
  telemetry: ${telemetry}
`,
  )
  return file
}

test('console exporters write one JSON object a request to standard output', async () => {
  const sluice = await startSluice([
    'run',
    config(
      '{metrics: {readers: [{periodic: {interval: 100, exporter: {console: }}}]}, logs: {processors: [{simple: {exporter: {console: }}}]}}',
    ),
  ])
  const objects = await eventually('both signals', () => {
    const lines = sluice.output().split('\n')
    const metrics = lines.find((line) => line.startsWith('{"resourceMetrics"'))
    const logs = lines.find((line) => line.startsWith('{"resourceLogs"') && line.includes('"started"'))
    return metrics !== undefined && logs !== undefined ? [metrics, logs] : undefined
  })
  for (const object of objects) expect(() => JSON.parse(object) as unknown).not.toThrow()
  expect(objects[0]).toContain('otelcol_process_uptime')
  expect(await sluice.stop()).toBe(0)
})

test('a log file that cannot be opened ends the start with its reason', async () => {
  const { code, stderr } = await runSluice([
    'run',
    config('{logs: {output_paths: [/nowhere/sluice.log]}, metrics: {level: none}}'),
  ])
  expect(code).toBe(1)
  expect(stderr).toBe(
    "service.telemetry.logs.output_paths: cannot open /nowhere/sluice.log: ENOENT: no such file or directory, open '/nowhere/sluice.log'  (LOG_OUTPUT)\n",
  )
})
