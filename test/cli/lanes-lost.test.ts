import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { LedgerRow } from '../../src/telemetry/ledger.ts'
import { runSluice } from '../support/sluice.ts'

const CONFIG = {
  receivers: { generator: {} },
  exporters: { nop: {} },
  service: {
    pipelines: { traces: { receivers: ['generator'], exporters: ['nop'] } },
    telemetry: { logs: { encoding: 'json' }, metrics: { level: 'none' } },
    lanes: 2,
    lane_restarts_per_minute: 2,
  },
}

test('more lanes lost within a minute than are replaced stop the process, which says so and drains the others', async () => {
  const { code, stderr } = await runSluice(
    [fileURLToPath(new URL('./support/losing-lanes.ts', import.meta.url)), `yaml:${JSON.stringify(CONFIG)}`],
    { command: process.execPath },
  )
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string; ledger?: readonly LedgerRow[] })
  const said = lines.filter(({ level }) => level === 'error' || level === 'fatal').map(({ level, msg }) => [level, msg])
  const again = 'lane-1 is lost, and what it held with it: it held nothing; another takes its place'
  expect(said).toEqual([
    ['error', again],
    ['error', again],
    ['error', 'lane-1 is lost, and what it held with it: it held nothing'],
    [
      'fatal',
      'the thread lane-1 ended: worker exited with code: 1; it is the one too many within a minute: service.lane_restarts_per_minute is 2  (LANE_LOST)',
    ],
  ])
  expect(lines.at(-1)?.ledger).toMatchObject([{ pipeline: 'traces', held: 0 }])
  expect(code).toBe(1)
})
