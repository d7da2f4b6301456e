// Who decides how many lanes there are. What each of them then does: test/lanes.
import { availableParallelism } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { endAll, runSluice, startSluice } from '../support/sluice.ts'

afterEach(endAll)

function configOf(lanes: number | 'auto'): string {
  return `yaml:${JSON.stringify({
    receivers: { nop: {} },
    exporters: { nop: {} },
    service: {
      lanes,
      pipelines: { traces: { receivers: ['nop'], exporters: ['nop'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  })}`
}

async function lanesOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const sluice = await startSluice(['run', ...args], { env })
  const started = sluice
    .output()
    .split('\n')
    .find((line) => line.endsWith('"msg":"started"}'))
  expect(await sluice.stop()).toBe(0)
  return (JSON.parse(started!) as { lanes: unknown }).lanes
}

test('the option wins over the environment, which wins over --set and the configuration; auto is every core', async () => {
  const set = ['--set', 'service.lanes=4']
  expect(await lanesOf([configOf(5), ...set, '--lanes', '2'], { SLUICE_LANES: '3' })).toBe(2)
  expect(await lanesOf([configOf(5), ...set], { SLUICE_LANES: '3' })).toBe(3)
  expect(await lanesOf([configOf(5), ...set])).toBe(4)
  expect(await lanesOf([configOf('auto')])).toBe(Math.min(64, availableParallelism()))
}, 60_000)

test.each(['0', '65', 'two'])('%j is no number of lanes, wherever it is said', async (lanes) => {
  const expected = 'Expected auto or an integer from 1 to 64.'
  const option = await runSluice(['run', configOf(1), '--lanes', lanes])
  expect([option.code, option.stderr]).toEqual([
    1,
    `sluice: option '--lanes <n>' argument '${lanes}' is invalid. ${expected}\n`,
  ])
  const variable = await runSluice(['run', configOf(1)], { env: { SLUICE_LANES: lanes } })
  expect([variable.code, variable.stderr]).toEqual([
    1,
    `sluice: option '--lanes <n>' value '${lanes}' from env 'SLUICE_LANES' is invalid. ${expected}\n`,
  ])
})
